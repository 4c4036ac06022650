import { without } from '../../machine/forwards.ts';
import type { PortSelector } from '../../machinefile/forms/ports.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { type PortChange, saveForwards, withLockedMachine } from './locked-machine.ts';
import { selectAdded } from './select-ports.ts';

export interface PortRemoval {
  readonly machine: string;
  readonly ports: readonly PortSelector[];
}

/**
 * Takes back ports that `addPorts` added: all that are named, or an error and none. At once where the machine runs; what
 * is connected through them stays so. Works from the record, also without a Machinefile.
 */
export async function removePorts(
  project: Project,
  { machine, ports }: PortRemoval,
  services: Services,
): Promise<PortChange> {
  return withLockedMachine(project, { machine, purpose: 'vm port remove' }, services, async (locked) => {
    const removed = selectAdded(locked.record, ports);
    const forwards = without(locked.record.forwards, removed);
    await saveForwards(project, locked, forwards, services);
    return { ports: removed, forwards };
  });
}
