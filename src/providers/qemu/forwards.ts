import { StateError, TimeoutError } from '../../errors.ts';
import { systemErrorCode } from '../../host/files.ts';
import { diffForwards, type ForwardChange, type OpenPort } from '../../machine/forwards.ts';
import { runtimeLayout } from '../../machine/layout.ts';
import { isSameHostPort } from '../../machinefile/forms/ports.ts';
import { PortTakenError, type RecordedMachine } from '../provider.ts';
import { forwardRule, hostRule, NETDEV_ID, parseForwards, takenAddress } from './hostfwd.ts';
import { QmpClient, withMonitor } from './qmp.ts';

/** Another `vm` may be using the monitor, which serves one at a time. */
const OBSERVER_TIMEOUT_MS = 2_000;
const CHANGE_TIMEOUT_MS = 5_000;

export async function observeForwards({ record }: RecordedMachine): Promise<readonly OpenPort[] | undefined> {
  return withMonitor(runtimeLayout(record.runtimeDir).monitorPath, OBSERVER_TIMEOUT_MS, readForwards);
}

export async function applyForwards({ record }: RecordedMachine, wanted: readonly OpenPort[]): Promise<ForwardChange> {
  using monitor = await connectTo(record);
  const change = diffForwards(await readForwards(monitor), wanted);
  const done: Step[] = [];
  try {
    for (const step of stepsOf(change)) {
      await perform(step, monitor);
      done.unshift(step);
    }
  } catch (error) {
    // All or nothing: a range of which one port is taken would otherwise be half there, with nobody told which half.
    if (error instanceof StateError) await undo(done, monitor);
    throw error;
  }
  return change;
}

interface Step {
  readonly kind: 'add' | 'remove';
  readonly port: OpenPort;
}

/** What can fail comes first: only what is in its way is removed before. Pure. */
export function stepsOf({ removed, added }: ForwardChange): Step[] {
  const isInTheWay = (port: OpenPort) => added.some((other) => isSameHostPort(port, other));
  const remove = (ports: readonly OpenPort[]) => ports.map((port): Step => ({ kind: 'remove', port }));
  return [
    ...remove(removed.filter(isInTheWay)),
    ...added.map((port): Step => ({ kind: 'add', port })),
    ...remove(removed.filter((port) => !isInTheWay(port))),
  ];
}

async function undo(done: readonly Step[], monitor: QmpClient): Promise<void> {
  for (const { kind, port } of done) {
    await perform({ kind: kind === 'add' ? 'remove' : 'add', port }, monitor).catch(() => {
      // Somebody took it in this moment, or QEMU has gone; the next `up` tries again.
    });
  }
}

/** QEMU answers with text: none where a port was added, and of a removed one that it is removed, or was not there. */
async function perform({ kind, port }: Step, monitor: QmpClient): Promise<void> {
  const rule = kind === 'add' ? forwardRule(port) : hostRule(port);
  const answer = (await ask(monitor, `hostfwd_${kind} ${NETDEV_ID} ${rule}`)).trim();
  if (kind === 'add' ? answer === '' : /(removed|not found)$/.test(answer)) return;
  const taken = takenAddress(answer);
  throw taken === undefined ? new StateError(`QEMU refused: ${answer}`) : new PortTakenError(taken);
}

async function readForwards(monitor: QmpClient): Promise<OpenPort[]> {
  return parseForwards(await ask(monitor, 'info usernet'));
}

async function ask(monitor: QmpClient, commandLine: string): Promise<string> {
  return String(await monitor.execute('human-monitor-command', { 'command-line': commandLine }));
}

/** @throws StateError where nobody answers: nothing has been changed. */
async function connectTo({ machine, runtimeDir }: RecordedMachine['record']): Promise<QmpClient> {
  try {
    return await QmpClient.connect(runtimeLayout(runtimeDir).monitorPath, CHANGE_TIMEOUT_MS);
  } catch (cause) {
    if (!(cause instanceof TimeoutError || systemErrorCode(cause) !== undefined)) throw cause;
    throw new StateError(`${machine}: its ports cannot be changed, because QEMU does not answer`, {
      hint: `vm reload ${machine} starts it anew, with them`,
      cause,
    });
  }
}
