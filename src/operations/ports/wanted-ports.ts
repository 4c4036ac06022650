import { VmError } from '../../errors.ts';
import { portText } from '../../host/port-address.ts';
import { forwardText, isSameForward, type OpenPort } from '../../machine/forwards.ts';
import type { PortForward } from '../../machine/record.ts';
import { isSameHostPort } from '../../machinefile/forms/ports.ts';
import type { MachineSpec, PortSpec } from '../../machinefile/spec.ts';

const SSH_GUEST_PORT = 22;

/** A port that a machine is to have, and where that was said. */
export interface WantedPort extends PortSpec {
  /** By `vm port add`: absent means the Machinefile. */
  readonly addedAs?: PortForward['addedAs'];
}

/** The way to SSH, from this host port, or from a free one. */
export function sshPort(host: number | undefined): WantedPort {
  return { hostIp: '127.0.0.1', host, guest: SSH_GUEST_PORT, protocol: 'tcp', autoCorrect: false };
}

/**
 * The ports of the Machinefile, then those that were added by hand. One that was added and has come into the Machinefile
 * since is the Machinefile's. Pure.
 * @throws VmError where both want one host port for different things.
 */
export function wantedPorts({ name, ports }: MachineSpec, forwards: readonly PortForward[]): WantedPort[] {
  const added = addedPorts(forwards).filter((port) => !ports.some((other) => isSameWish(other, port)));
  for (const port of added) checkClash(name, port, ports);
  return [...ports, ...added];
}

/** The wishes behind the forwards that were added by hand. */
export function addedPorts(forwards: readonly PortForward[]): WantedPort[] {
  return forwards.flatMap(({ hostIp, host, guest, protocol, addedAs }) =>
    addedAs === undefined
      ? []
      : [{ hostIp, host: addedAs === 'given' ? host : undefined, guest, protocol, autoCorrect: false, addedAs }],
  );
}

function isSameWish(a: PortSpec, b: PortSpec): boolean {
  return a.hostIp === b.hostIp && a.host === b.host && a.guest === b.guest && a.protocol === b.protocol;
}

function checkClash(machine: string, added: WantedPort, ports: readonly PortSpec[]): void {
  const other = ports.find((port) => isSameHostPort(port, added) && !port.autoCorrect);
  const { host, protocol } = added;
  if (other === undefined || host === undefined) return;
  const [there, here] = [
    { ...other, host },
    { ...added, host },
  ];
  throw new VmError(
    `host port ${portText({ port: host, protocol })} of ${machine} is wanted twice: the Machinefile says ${forwardText(there)}, vm port add said ${forwardText(here)}`,
    { hint: `vm port remove ${machine} ${host}:${added.guest}/${protocol} leaves it to the Machinefile` },
  );
}

/** Whether these forwards are all that a machine is to have, SSH's own aside. Pure. */
export function arePortsApplied(spec: MachineSpec, forwards: readonly PortForward[]): boolean {
  const [, ...others] = forwards;
  const wanted = wantedPorts(spec, forwards);
  return wanted.length === others.length && wanted.every((want) => others.some((forward) => isGivenTo(forward, want)));
}

/** A port that was taken when it was asked for stays replaced. */
function isGivenTo({ insteadOf, ...forward }: PortForward, want: WantedPort): boolean {
  return isAnswer(forward, want) || (insteadOf !== undefined && isAnswer({ ...forward, host: insteadOf }, want));
}

/** Whether a forward is what was asked for. Without a host port any will do. */
export function isAnswer(forward: OpenPort, { host = forward.host, ...want }: WantedPort): boolean {
  return isSameForward(forward, { ...want, host });
}
