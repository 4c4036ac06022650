import { inPhase } from '../context.ts';
import { handleOf, type RecordedMachine, type StopOutcome } from '../providers/provider.ts';
import { CONNECT_TIMEOUT_MS, closeSharedConnection, endpointOf } from './guest.ts';
import { lockMachine } from './machine-lock.ts';
import { forEachParallel } from './parallel.ts';
import { findTargets, type Project } from './project.ts';
import type { Services } from './services.ts';

const DEFAULT_HALT_TIMEOUT_MS = 60_000;

export interface HaltOutcome {
  readonly machine: string;
  readonly outcome: StopOutcome | 'not_created';
}

/** Stops the selected machines. Works from the record, also without a Machinefile. */
export async function halt(
  project: Project,
  patterns: readonly string[],
  { force, services }: { force: boolean; services: Services },
): Promise<HaltOutcome[]> {
  const targets = await findTargets(project, patterns);
  return forEachParallel(targets, targets.length, async ({ name, exists }) => {
    if (!exists) return { machine: name, outcome: 'not_created' as const };
    await using _lock = await lockMachine(project, { name, purpose: 'vm halt' }, services);
    // Awaited here: the lock is given up at the end of this function.
    return await haltMachine(project, name, { force, services });
  });
}

/** Stops one machine. Call with its lock held. */
export async function haltMachine(
  project: Project,
  name: string,
  { force, services }: { force: boolean; services: Services },
): Promise<HaltOutcome> {
  const record = await project.states.read(name);
  if (record === undefined) return { machine: name, outcome: 'not_created' };
  const machine = { record, layout: project.states.layout(name) };
  const provider = services.providers[record.provider];
  const observed = await provider.state(machine);
  if (observed.kind === 'stopped') return { machine: name, outcome: 'already_stopped' };
  return inPhase(services, name, 'halt', async () => {
    const closing = closeSharedConnection(handleOf(machine));
    const outcome = await provider.stop(
      handleOf(machine),
      force
        ? { force }
        : {
            force,
            haltTimeoutMs: record.started?.haltTimeoutMs ?? DEFAULT_HALT_TIMEOUT_MS,
            powerOffGuest: () => powerOffGuest(machine, services),
          },
      services,
    );
    await closing;
    return { machine: name, outcome };
  });
}

async function powerOffGuest(machine: RecordedMachine, services: Services): Promise<void> {
  const { guests, signal } = services;
  await using guest = await guests.connect(await endpointOf(machine), { signal, timeoutMs: CONNECT_TIMEOUT_MS });
  await guest.exec({ script: 'if [ "$(id -u)" = 0 ]; then poweroff; else sudo -n poweroff; fi', signal });
}
