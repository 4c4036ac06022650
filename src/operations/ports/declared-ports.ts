import { VmError } from '../../errors.ts';
import { portText } from '../../host/port-address.ts';
import { forwardText, type OpenPort } from '../../machine/forwards.ts';
import type { MachineRecord } from '../../machine/record.ts';
import { isSameHostPort } from '../../machinefile/forms/ports.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import type { Project } from '../project.ts';
import type { OtherPort } from './other-machines.ts';
import { isAnswer, sshPort, type WantedPort } from './wanted-ports.ts';

/** The host ports that the Machinefile gives to other machines, which need not exist; none where it cannot be read. */
export function declaredPorts({ spec }: Project, machine: string): OtherPort[] {
  if (spec instanceof VmError) return [];
  const others = spec.machines.filter(({ name }) => name !== machine);
  return others.flatMap((other) => fixedPorts(other).map((port) => ({ ...port, machine: other.name })));
}

/** @throws VmError where the machine leads a host port elsewhere, or is to by the Machinefile. */
export function requireOwnFree(
  { spec }: Project,
  wanted: readonly WantedPort[],
  { machine, forwards }: MachineRecord,
): void {
  const own = spec instanceof VmError ? undefined : spec.machines.find(({ name }) => name === machine);
  const known = [...forwards, ...(own === undefined ? [] : fixedPorts(own))];
  for (const want of wanted) {
    const other = known.find((port) => isSameHostPort(port, want) && !isAnswer(port, want));
    if (other === undefined) continue;
    throw new VmError(
      `host port ${portText({ ...other, port: other.host })} is ${machine}'s already: ${forwardText(other)}`,
      {
        hint: 'choose another host port, or leave it away',
      },
    );
  }
}

function fixedPorts({ ports, ssh }: MachineSpec): OpenPort[] {
  return [sshPort(ssh.port), ...ports].flatMap(({ hostIp, host, guest, protocol, autoCorrect }) =>
    host === undefined || autoCorrect ? [] : [{ hostIp, host, guest, protocol }],
  );
}
