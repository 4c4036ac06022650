import type { Box } from '../../boxes/box.ts';
import type { Communicator } from '../../communicators/communicator.ts';
import { inPhase } from '../../context.ts';
import { GuestError, TimeoutError } from '../../errors.ts';
import { readTail } from '../../host/files.ts';
import type { ProcessIdentity } from '../../host/processes.ts';
import { lastLines } from '../../machine/console-text.ts';
import type { MachineRecord } from '../../machine/record.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import { endpointOf, LazyGuest } from '../guest.ts';
import { setUpCards } from '../networks/converge.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { setGuestClock } from '../suspend/guest-clock.ts';
import type { StartedProcess } from '../warm/start-or-wake.ts';
import { isInstalledByHand } from './by-hand.ts';
import { enterWoken } from './enter-woken.ts';
import { enterFirst, needsEntry } from './first-entry.ts';

const DEFAULT_BOOT_TIMEOUT_MS = 300_000;

export interface BootingMachine {
  /** Absent: the Machinefile says nothing of it. */
  readonly spec: MachineSpec | undefined;
  readonly box: Box | undefined;
  readonly record: MachineRecord;
  readonly process: ProcessIdentity;
  /** running: its network is up, and nothing is known of its server. */
  readonly guestState: StartedProcess['guestState'] | 'running';
}

/**
 * Waits until the guest of a running machine accepts a login, and sets up what it did not take from its seed; of one that
 * was restored also its clock. Call with the machine's lock held.
 * @throws GuestError with what its console said last.
 */
export async function awaitReady(
  project: Project,
  { spec, box, record, process, guestState }: BootingMachine,
  services: Services,
): Promise<{ record: MachineRecord; guest: LazyGuest }> {
  const { machine: name } = record;
  const layout = project.states.layout(name);
  if (isInstalledByHand(record)) return { record, guest: new LazyGuest({ record, layout }, services) };
  const provider = services.providers[record.provider];
  const phase = record.isClockBehind || guestState === 'woken' ? 'reconnect' : 'boot';
  return inPhase(services, name, phase, async () => {
    if (guestState === 'woken' && (await enterWoken({ record, layout }, services))) {
      const ready = { ...record, ready: process };
      await project.states.write(ready);
      return { record: ready, guest: new LazyGuest({ record: ready, layout }, services) };
    }
    const options = {
      timeoutMs: spec?.bootTimeoutMs ?? DEFAULT_BOOT_TIMEOUT_MS,
      signal: services.signal,
      isBooting: guestState === 'booting',
      networkMark: () => provider.networkMark({ record, layout }),
      diagnose: () => provider.diagnoseBoot({ record, layout }, process),
      onProgress: (text: string) => services.reporter.report({ type: 'progress', subject: name, text }),
    };
    let communicator: Communicator;
    let entered = record;
    try {
      const isNew = spec !== undefined && needsEntry({ spec, box, record });
      if (isNew) entered = await enterFirst(project, { spec, box, record }, { options, services });
      communicator = await services.guests.waitUntilReady(await endpointOf({ record, layout }), {
        ...options,
        isBooting: options.isBooting && !isNew,
        ...(entered.isClockBehind && { check: (guest) => setGuestClock(guest, name, services) }),
      });
    } catch (error) {
      throw await explainBootFailure(error, name, layout.serialLogPath);
    }
    if (box?.seed !== 'machinefile') await setUpCards(entered, communicator, services);
    const ready = { ...entered, ready: process, isClockBehind: undefined };
    await project.states.write(ready);
    return { record: ready, guest: new LazyGuest({ record: ready, layout }, services, communicator) };
  });
}

/** A guest that did not come up is left for inspection: the message carries what its console said last. */
async function explainBootFailure(error: unknown, machine: string, serialLogPath: string): Promise<unknown> {
  if (!(error instanceof GuestError || error instanceof TimeoutError)) return error;
  const tail = await readTail(serialLogPath);
  const consoleText = tail.trim() === '' ? 'its console is empty' : `its console's last lines:\n${lastLines(tail)}`;
  const text = error.message.includes('console') ? error.message : `${error.message}; ${consoleText}`;
  const left = `it is left as it is: vm logs ${machine} shows its whole console (${serialLogPath}), vm destroy ${machine} removes it`;
  return new GuestError(`${machine}: ${text}`, {
    hint: error.hint === undefined ? left : `${error.hint}; ${left}`,
    cause: error,
  });
}
