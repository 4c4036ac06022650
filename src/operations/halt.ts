import type { Communicator } from '../communicators/communicator.ts';
import { inPhase } from '../context.ts';
import { removeMemory } from '../machine/memory-files.ts';
import { handleOf, type RecordedMachine, type StopOutcome } from '../providers/provider.ts';
import { flattenInBackground } from './cache/flatten-in-background.ts';
import { CONNECT_TIMEOUT_MS, closeSharedConnection, endpointOf } from './guest.ts';
import { withHooks } from './hooks.ts';
import { lockMachine } from './machine-lock.ts';
import { releaseSwitches } from './networks/switches.ts';
import { inReverse } from './order/graph.ts';
import { runInOrder } from './order/run-in-order.ts';
import { findTargets, type Project } from './project.ts';
import type { Services } from './services.ts';
import { settledState } from './suspend/settled-state.ts';
import { meterEnd, meterRun } from './usage/metering.ts';
import { askOverSharedConnection } from './usage/network-reading.ts';

const DEFAULT_HALT_TIMEOUT_MS = 60_000;

export interface HaltOutcome {
  readonly machine: string;
  /** `memory_discarded`: it was suspended. */
  readonly outcome: StopOutcome | 'memory_discarded' | 'not_created';
}

/**
 * Stops the selected machines, each after those that depend on it. One that cannot be stopped keeps no other running.
 * Works from the record, also without a Machinefile, which alone knows an order.
 */
export async function halt(
  project: Project,
  patterns: readonly string[],
  { force, services }: { force: boolean; services: Services },
): Promise<HaltOutcome[]> {
  const targets = await findTargets(project, patterns);
  const ordered = inReverse(targets.map((target) => ({ ...target, dependsOn: target.spec?.dependsOn ?? [] })));
  return runInOrder(ordered, { limit: targets.length }, async ({ name, exists }) => {
    if (!exists) return { machine: name, outcome: 'not_created' as const };
    await using _lock = await lockMachine(project, { name, purpose: 'vm halt' }, services);
    const outcome = await haltMachine(project, name, { force, services });
    await flattenInBackground(await project.states.readIfWhole(name), services);
    return outcome;
  });
}

interface HaltOptions {
  readonly force: boolean;
  /** A connection to its guest, which may let no other in any more. */
  readonly guest?: Communicator;
  readonly services: Services;
}

/** Stops one machine, between its hooks where it runs, or discards what it was suspended with. Call with its lock held. */
export async function haltMachine(
  project: Project,
  name: string,
  { services, ...options }: HaltOptions,
): Promise<HaltOutcome> {
  const record = await project.states.read(name);
  if (record === undefined) return { machine: name, outcome: 'not_created' };
  const machine = { record, layout: project.states.layout(name) };
  const observed = await settledState(machine, services);
  if (observed.kind === 'stopped') {
    await releaseSwitches(project, record, services);
    return { machine: name, outcome: 'already_stopped' };
  }
  return withHooks(project, { machine: name, operation: 'halt' }, services, async () => {
    // Its disks change from here on, or are to be started from.
    await removeMemory(machine.layout.memory);
    if (observed.kind === 'suspended') {
      await releaseSwitches(project, record, services);
      return { machine: name, outcome: 'memory_discarded' as const };
    }
    const outcome = await inPhase(services, name, 'halt', () =>
      stopMachine(project, machine, { ...options, services }),
    );
    await releaseSwitches(project, record, services);
    return { machine: name, outcome };
  });
}

async function stopMachine(
  project: Project,
  machine: RecordedMachine,
  { force, guest, services }: HaltOptions,
): Promise<StopOutcome> {
  const { record } = machine;
  // Should this vm be killed, it is known as of now what the run has used.
  await meterRun(project, machine, { services });
  const network = await askOverSharedConnection(machine);
  const closing = closeSharedConnection(handleOf(machine));
  const { outcome, lastFigures } = await services.providers[record.provider].stop(
    handleOf(machine),
    force
      ? { force }
      : {
          force,
          haltTimeoutMs: record.started?.haltTimeoutMs ?? DEFAULT_HALT_TIMEOUT_MS,
          powerOffGuest: () => (guest ? powerOff(guest, services) : powerOffGuest(machine, services)),
        },
    services,
  );
  await closing;
  const ended = { lastFigures, network, isDestroyed: false };
  await meterEnd(project, { id: record.id, name: record.machine, record }, { ended, services });
  return outcome;
}

async function powerOffGuest(machine: RecordedMachine, services: Services): Promise<void> {
  const { guests, signal } = services;
  await using guest = await guests.connect(await endpointOf(machine), { signal, timeoutMs: CONNECT_TIMEOUT_MS });
  await powerOff(guest, services);
}

async function powerOff(guest: Communicator, { signal }: Services): Promise<void> {
  await guest.exec({ script: 'if [ "$(id -u)" = 0 ]; then poweroff; else sudo -n poweroff; fi', signal });
}
