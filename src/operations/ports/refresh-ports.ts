import { diffForwards, isUnchanged } from '../../machine/forwards.ts';
import type { MachineRecord } from '../../machine/record.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { changeForwards } from './change-forwards.ts';
import { reportChange } from './report-change.ts';
import { sshPort, wantedPorts } from './wanted-ports.ts';
import { withPorts } from './with-ports.ts';

/**
 * Gives a running machine the ports that the Machinefile says now, without a restart, and says what that changes. SSH's
 * stays. It compares with what the machine really has, and so also ends a change that was killed.
 * @throws PortTakenError with who has a port: none of them is changed then.
 */
export async function refreshPorts(
  project: Project,
  { spec, record }: { readonly spec: MachineSpec; readonly record: MachineRecord },
  services: Services,
): Promise<MachineRecord> {
  const machine = { record, layout: project.states.layout(spec.name) };
  const open = await services.providers[spec.provider].forwards(machine);
  const held = open ?? record.forwards;
  const wanted = [sshPort(record.ssh.port), ...wantedPorts(spec, record.forwards)];
  return withPorts(project, { spec, record, wanted, held }, services, async (forwards) => {
    if (isUnchanged(diffForwards(held, forwards)) && JSON.stringify(forwards) === JSON.stringify(record.forwards)) {
      if (open === undefined) reportUnseen(spec.name, services);
      return record;
    }
    const changed = await changeForwards(project, { record, forwards }, services);
    reportChange(spec.name, changed.change, services);
    return changed.record;
  });
}

function reportUnseen(subject: string, { reporter }: Services): void {
  const text = 'its ports were not compared with what is open, because QEMU does not answer';
  reporter.report({ type: 'message', level: 'warning', subject, text });
}
