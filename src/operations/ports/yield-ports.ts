import { without } from '../../machine/forwards.ts';
import type { PortForward } from '../../machine/record.ts';
import { isSameHostPort } from '../../machinefile/forms/ports.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { saveForwards, withLockedMachine } from './locked-machine.ts';
import { reportChange } from './report-change.ts';

/**
 * Before `up` works on any of the machines: closes the ports that one has and the Machinefile has given to another since.
 * They are brought up in any order, and the new owner may come first.
 */
export async function yieldPorts(project: Project, specs: readonly MachineSpec[], services: Services): Promise<void> {
  for (const spec of specs) {
    // A damaged record is told of when the machine's turn comes.
    const record = await project.states.readIfWhole(spec.name);
    if (movedPorts(spec, record?.forwards ?? [], specs).length === 0) continue;
    const machine = { machine: spec.name, purpose: 'vm up' };
    await withLockedMachine(project, machine, services, async (locked) => {
      const moved = movedPorts(spec, locked.record.forwards, specs);
      const forwards = without(locked.record.forwards, moved);
      await saveForwards(project, locked, forwards, services);
      if (locked.isRunning) reportChange(spec.name, { removed: moved, added: [] }, services);
      return { ports: moved, forwards };
    });
  }
}

/** What a machine has of the Machinefile that is another's now. Pure. */
export function movedPorts(
  spec: MachineSpec,
  forwards: readonly PortForward[],
  specs: readonly MachineSpec[],
): PortForward[] {
  const isWantedBy = ({ ports }: MachineSpec, forward: PortForward) =>
    ports.some((port) => !port.autoCorrect && isSameHostPort(port, forward));
  const others = specs.filter(({ name }) => name !== spec.name);
  const [, ...ports] = forwards;
  return ports
    .filter(({ addedAs }) => addedAs === undefined)
    .filter((forward) => !isWantedBy(spec, forward) && others.some((other) => isWantedBy(other, forward)));
}
