import { StateError } from '../../errors.ts';
import { type ForwardChange, without } from '../../machine/forwards.ts';
import type { MachineRecord, PortForward } from '../../machine/record.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';

export interface ChangedForwards {
  readonly record: MachineRecord;
  /** What had to be done to the machine. */
  readonly change: ForwardChange;
}

/**
 * Gives a running machine other forwards: all of them, or an error and those it had. Call with its lock held.
 *
 * The record first names both the old and the new ones, and only the new ones when QEMU has no others. So at whatever
 * instant this is killed, no port is open that no record names, and the next `up` (or change), which compares with what
 * QEMU has, ends it.
 */
export async function changeForwards(
  project: Project,
  { record, forwards }: { readonly record: MachineRecord; readonly forwards: readonly PortForward[] },
  services: Services,
): Promise<ChangedForwards> {
  const { states } = project;
  const goingAway = without(record.forwards, forwards);
  await states.write({ ...record, forwards: [...forwards, ...goingAway] });
  const machine = { record, layout: states.layout(record.machine) };
  let change: ForwardChange;
  try {
    change = await services.providers[record.provider].applyForwards(machine, forwards);
  } catch (error) {
    // The provider took back what it had done; but if QEMU fell silent, the record has to go on naming what may be open.
    if (error instanceof StateError) await states.write(record);
    throw error;
  }
  const changed = { ...record, forwards };
  if (goingAway.length > 0) await states.write(changed);
  return { record: changed, change };
}
