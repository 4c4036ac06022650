import { StateError } from '../../errors.ts';
import { forgetMemory, removeMemory } from '../../machine/memory-files.ts';
import { handleOf, type ObservedState, type RecordedMachine } from '../../providers/provider.ts';
import type { Services } from '../services.ts';

/**
 * What a machine is, once all that a killed `vm` has left half-way of restoring it is undone: a hypervisor that was given
 * the memory, and has not let the guest run, is ended. Call with the machine's lock held.
 */
export async function settledState(machine: RecordedMachine, services: Services): Promise<SettledState> {
  const provider = services.providers[machine.record.provider];
  const observed = await provider.state(machine);
  if (observed.kind !== 'restoring') return observed;
  await provider.stop(handleOf(machine), { force: true }, services);
  const settled = await provider.state(machine);
  if (settled.kind !== 'restoring') return settled;
  throw new StateError(`${machine.record.machine} is being restored by somebody else`);
}

export type SettledState = Exclude<ObservedState, { kind: 'restoring' }>;

/**
 * Lets a paused guest run on. A memory that was saved of it is forgotten first: its disks change from here on. Call with
 * the machine's lock held.
 */
export async function letRunOn(machine: RecordedMachine, services: Services): Promise<void> {
  const { memory } = machine.layout;
  await forgetMemory(memory);
  await services.providers[machine.record.provider].unpause(machine);
  await removeMemory(memory);
}
