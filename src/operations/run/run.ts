import { execCommand, loginCommand } from '../../communicators/openssh.ts';
import { MachinefileError, UsageError } from '../../errors.ts';
import { runInForeground } from '../../host/exec.ts';
import { RunStore } from '../../machine/run-store.ts';
import { opensshTarget, requireRunning } from '../guest.ts';
import { halt } from '../halt.ts';
import { withWayOn } from '../packaging/workshop.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import type { UpOutcome } from '../up/machine.ts';
import { up } from '../up/up.ts';
import { clearAbandonedRuns, removeEmptyRun, removeRun } from './clear-runs.ts';
import { guestWords, type RunCommand } from './guest-words.ts';
import { createRun, type NewRun } from './new-run.ts';

export interface RunRequest extends NewRun {
  /** Absent: the machine is left running. */
  readonly command: RunCommand | undefined;
  /** Has a template made where there is none, which takes one more boot. One that is there is used in any case. */
  readonly keepsMemory: boolean;
  /** Opens the project of a run. */
  open(name: string): Promise<Project>;
}

export interface RunOutcome {
  readonly name: string;
  readonly up: readonly UpOutcome[];
  /** The command's; absent where there was none. */
  readonly exitCode: number | undefined;
}

const UP = {
  lock: 'write',
  patterns: [],
  withDependencies: true,
  parallel: undefined,
} as const;

/**
 * Makes a machine of a box, runs a command in it, and then removes it, or halts it. A machine that does not come up is
 * left to be looked at, unless it is to be removed.
 * @throws UsageError for what no machine can have; what `up` throws; InterruptedError, once nothing runs any more.
 */
export async function runBox(request: RunRequest, services: Services): Promise<RunOutcome> {
  await clearAbandonedRuns(services);
  const runs = new RunStore(services.dirs.homeDir);
  const { name, maker } = await createRun(runs, request);
  try {
    const outcome = await bringUpAndRun(await request.open(name), { ...request, name }, services);
    services.signal.throwIfAborted();
    return outcome;
  } catch (error) {
    const explained = asUsageError(error, runs.machinefileOf(name));
    throw request.isRemoved ? withWayOn(explained, 'without --rm it is left to be looked at') : explained;
  } finally {
    const isOurs = async () => (await runs.read(name))?.maker === maker;
    if (request.isRemoved) await removeRun(name, isOurs, services);
    else if (services.signal.aborted && (await isOurs())) await stopRun(await request.open(name), services);
  }
}

async function bringUpAndRun(
  project: Project,
  { name, command, isRemoved, keepsMemory }: RunRequest & { readonly name: string },
  services: Services,
): Promise<RunOutcome> {
  let outcomes: UpOutcome[];
  try {
    const options = { provision: { kind: 'missing' }, recreate: false, makesTemplate: keepsMemory } as const;
    outcomes = await up(project, { ...UP, options }, services);
  } catch (error) {
    // Of a box that cannot be had, say, nothing is left to be looked at.
    await removeEmptyRun(project, services);
    throw error;
  }
  if (command === undefined) return { name, up: outcomes, exitCode: undefined };
  const exitCode = await runInGuest(project, name, command, services);
  if (!isRemoved && !services.signal.aborted) await halt(project, [], { force: false, services });
  return { name, up: outcomes, exitCode };
}

/** What is wrong with the Machinefile is wrong with the options that it was written from. */
function asUsageError(error: unknown, machinefile: string): unknown {
  if (!(error instanceof MachinefileError) || error.problems.some(({ file }) => file !== machinefile)) return error;
  return new UsageError(error.problems.map(({ message }) => message).join('\n'), { hint: 'vm help run' });
}

async function runInGuest(project: Project, name: string, command: RunCommand, services: Services): Promise<number> {
  const target = await opensshTarget(await requireRunning(project, name, services));
  const words = guestWords(command);
  return runInForeground(
    words.length === 0 ? loginCommand(target, []) : execCommand(target, words, command.wantsTerminal),
    { hasInput: command.hasInput, signal: services.signal },
  );
}

/** After an interruption: whoever gave up does not wait for a guest that may never have been ready. */
async function stopRun(project: Project, services: Services): Promise<void> {
  const uninterrupted = { ...services, signal: new AbortController().signal };
  await halt(project, [], { force: true, services: uninterrupted });
}
