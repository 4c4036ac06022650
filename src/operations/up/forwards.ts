import { VmError } from '../../errors.ts';
import { findFreePort, isPortFree } from '../../host/ports.ts';
import type { PortForward } from '../../machine/record.ts';
import type { MachineSpec, PortSpec } from '../../machinefile/spec.ts';
import { PortTakenError } from '../../providers/provider.ts';

export const SSH_GUEST_PORT = 22;

export interface ForwardRequest {
  readonly spec: MachineSpec;
  readonly machineId: string;
  /** What the machine had before: chosen ports are kept while they are free. */
  readonly previous: readonly PortForward[];
  /** Host ports that belong to other machines of the project, running or not. */
  readonly reserved: ReadonlySet<number>;
}

/**
 * Decides the host port of every forward; SSH comes first.
 * @throws PortTakenError when a port that may not be replaced is in use.
 */
export async function allocateForwards(request: ForwardRequest): Promise<PortForward[]> {
  const taken = new Set(request.reserved);
  const forwards: PortForward[] = [];
  for (const want of [sshPort(request.spec), ...request.spec.ports]) {
    const host = await allocateHostPort(want, request, taken);
    taken.add(host);
    forwards.push({ hostIp: want.hostIp, host, guest: want.guest, protocol: want.protocol });
  }
  return forwards;
}

/** Whether `vm` may replace this host port by another. */
export function isReplaceable(spec: MachineSpec, hostPort: number): boolean {
  return ![sshPort(spec), ...spec.ports].some(({ host, autoCorrect }) => host === hostPort && !autoCorrect);
}

function sshPort({ ssh }: MachineSpec): PortSpec {
  return { hostIp: '127.0.0.1', host: ssh.port, guest: SSH_GUEST_PORT, protocol: 'tcp', autoCorrect: false };
}

async function allocateHostPort(
  want: PortSpec,
  { spec, machineId, previous }: ForwardRequest,
  taken: ReadonlySet<number>,
): Promise<number> {
  const kept = previous.find(
    ({ guest, protocol, hostIp }) => guest === want.guest && protocol === want.protocol && hostIp === want.hostIp,
  );
  const wished = want.host ?? kept?.host;
  const { hostIp, protocol } = want;
  if (wished !== undefined && (await isPortFree({ hostIp, protocol, port: wished }))) return wished;
  if (want.host !== undefined && !want.autoCorrect) throw portTaken(spec.name, want.host);
  const seed = Number.parseInt(machineId.slice(0, 8), 16) + want.guest;
  const free = await findFreePort({ hostIp, protocol, seed }, taken);
  if (free === undefined) throw new VmError(`${spec.name}: no host port is free for its port ${want.guest}`);
  return free;
}

function portTaken(machine: string, port: number): PortTakenError {
  return new PortTakenError(
    port,
    `${machine} wants it: choose another host port, leave it away, or set auto_correct: true; ` +
      `\`ss -ltnup sport = :${port}\` shows who has it`,
  );
}
