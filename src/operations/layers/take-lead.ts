import type { Reporter } from '../../context.ts';
import { TimeoutError } from '../../errors.ts';
import type { LockHolder } from '../../host/lock.ts';
import { waitingFor } from '../machine-lock.ts';
import type { WaitAside } from '../order/run-in-order.ts';
import type { Services } from '../services.ts';
import type { StepChain } from './chain.ts';
import { stepKey } from './keys.ts';

/**
 * Who leads waits for no machine: what it depends on is there before it begins, and of the locks that it takes none is of
 * one that waits here. Only the user's own steps and hooks may wait for another machine: then this ends.
 */
const LEAD_TIMEOUT_MS = 15 * 60_000;

/** Those that come at once step back from one another; by then one has it, and the others can say for whom they wait. */
const SETTLED_MS = 250;

export interface LeadOptions {
  readonly machine: string;
  /** Looks how far others have come. */
  findChain(services: Services): Promise<StepChain | undefined>;
  /** Absent: nobody else begins while this one waits. */
  readonly waitAside?: WaitAside | undefined;
  readonly timeoutMs?: number;
}

/** What a new machine begins with. */
export interface Lead {
  readonly chain: StepChain | undefined;
  /** Held by the one that makes the layers that are missing, until they are there, or never will be. */
  readonly lock?: AsyncDisposable;
}

/**
 * Of the machines of this host that would do the same steps now one leads; the others wait for its layers. When it fails,
 * or is killed, the next one leads, from where that one has come to. None waits where all layers are there.
 */
export async function takeLead(options: LeadOptions, services: Services): Promise<Lead> {
  // What the first look has told of is not told again by the second one.
  const telling = { ...services, reporter: tellingOnce(services.reporter) };
  const chain = await options.findChain(telling);
  if (chain === undefined || isComplete(chain)) return { chain };
  const lock = await lockLead(leadKey(chain), options, services);
  try {
    const current = await options.findChain(telling);
    if (lock !== undefined && current !== undefined && !isComplete(current)) return { chain: current, lock };
    await lock?.[Symbol.asyncDispose]();
    return { chain: current };
  } catch (error) {
    await lock?.[Symbol.asyncDispose]();
    throw error;
  }
}

function isComplete({ steps, doneCount }: StepChain): boolean {
  return doneCount === steps.length;
}

/** The same for all that do the same steps. Which repetition of a timed one they will stand on nobody knows before. */
function leadKey({ facts, baseKey, steps }: StepChain): string {
  return steps.reduce(
    (parent, { ready: { fingerprint }, readDigests }) => stepKey({ parent, fingerprint, readDigests }, facts),
    baseKey,
  );
}

/** Undefined where waiting has taken too long. */
async function lockLead(
  key: string,
  { machine, waitAside = (wait) => wait(), timeoutMs = LEAD_TIMEOUT_MS }: LeadOptions,
  { layers, reporter, signal }: Services,
): Promise<AsyncDisposable | undefined> {
  const purpose = `vm up of ${machine}`;
  const report = (level: 'info' | 'warning', text: string) =>
    reporter.report({ type: 'message', level, subject: machine, text });
  const onWait = (holder: LockHolder) =>
    report('info', `${waitingFor(holder)}, which makes the layers that it begins with`);
  const ownLock = await layers.lock(key, { purpose, signal, timeoutMs: SETTLED_MS }).catch(unlessTimedOut);
  if (ownLock !== undefined) return ownLock;
  const lock = await waitAside(() => layers.lock(key, { purpose, signal, timeoutMs, onWait }).catch(unlessTimedOut));
  if (lock === undefined) report('warning', 'has waited long enough for another machine, and does the steps itself');
  return lock;
}

function unlessTimedOut(error: unknown): undefined {
  if (!(error instanceof TimeoutError)) throw error;
}

function tellingOnce(reporter: Reporter): Reporter {
  const told = new Set<string>();
  return {
    report(event) {
      const text = JSON.stringify(event);
      if (!told.has(text)) reporter.report(event);
      told.add(text);
    },
  };
}
