import { VmError } from '../../errors.ts';
import { findFreePort, isPortFree } from '../../host/ports.ts';
import type { OpenPort } from '../../machine/forwards.ts';
import type { PortForward } from '../../machine/record.ts';
import { type HostPort, isSameHostPort } from '../../machinefile/forms/ports.ts';
import { PortTakenError } from '../../providers/provider.ts';
import type { WantedPort } from './wanted-ports.ts';

export interface ForwardRequest {
  readonly machine: string;
  readonly machineId: string;
  readonly wanted: readonly WantedPort[];
  /** What the machine had before: chosen ports are kept while they are free. */
  readonly previous: readonly PortForward[];
  /** What its hypervisor has open now, which so keeps nothing of it from being had. */
  readonly held: readonly OpenPort[];
  /** Taken, whether they are open or not: what it has beside `wanted`, and what others are to have. */
  readonly beside: readonly HostPort[];
  /** Host ports of other machines of the project, running or not, which are not chosen. */
  readonly reserved: ReadonlySet<number>;
}

/**
 * Decides the host port of every forward, in the order of `wanted`.
 * @throws PortTakenError when a port that may not be replaced is in use.
 */
export async function allocateForwards(request: ForwardRequest): Promise<PortForward[]> {
  const fixed = request.wanted.filter(({ host, autoCorrect }) => host !== undefined && !autoCorrect);
  const own: HostPort[] = [...request.beside, ...fixed];
  const forwards: PortForward[] = [];
  for (const want of request.wanted) {
    const host = await allocateHostPort(want, request, own);
    const { hostIp, guest, protocol, addedAs } = want;
    forwards.push({
      hostIp,
      host,
      guest,
      protocol,
      ...(addedAs && { addedAs }),
      ...(want.host !== undefined && want.host !== host && { insteadOf: want.host }),
    });
    own.push({ hostIp, host, protocol });
  }
  return forwards;
}

async function allocateHostPort(
  want: WantedPort,
  { machine, machineId, previous, held, reserved }: ForwardRequest,
  own: readonly HostPort[],
): Promise<number> {
  const { hostIp, protocol, guest } = want;
  const isHeld = (host: number) => held.some((port) => isSameHostPort(port, { hostIp, host, protocol }));
  const isAvailable = async (host: number) => isHeld(host) || (await isPortFree({ hostIp, protocol, port: host }));
  if (want.host !== undefined && !want.autoCorrect) {
    if (await isAvailable(want.host)) return want.host;
    throw new PortTakenError({ hostIp, protocol, port: want.host });
  }
  const isOwn = (host: number) => own.some((port) => isSameHostPort(port, { hostIp, host, protocol }));
  for (const host of candidates(want, previous, isHeld)) {
    if (!isOwn(host) && (await isAvailable(host))) return host;
  }
  const seed = Number.parseInt(machineId.slice(0, 8), 16) + guest;
  const taken = new Set([...reserved, ...own.flatMap(({ host }) => host ?? [])]);
  const free = await findFreePort({ hostIp, protocol, seed }, taken);
  if (free === undefined) throw new VmError(`${machine}: no host port is free for its port ${guest}`);
  return free;
}

/** Host ports that are better than any other, the best first: what was asked for, and what there was. */
function candidates(
  want: WantedPort,
  previous: readonly PortForward[],
  isHeld: (host: number) => boolean,
): readonly number[] {
  const before = previous
    .filter(({ guest, protocol, hostIp }) => isSame(want, { guest, protocol, hostIp }))
    .filter(({ insteadOf }) => want.host === undefined || insteadOf === want.host)
    .map(({ host }) => host);
  if (want.host === undefined) return before;
  // A machine that runs is not moved back to the port it asked for: somebody may have noted the other.
  return before.some(isHeld) ? [...before, want.host] : [want.host, ...before];
}

function isSame(a: Omit<OpenPort, 'host'>, b: Omit<OpenPort, 'host'>): boolean {
  return a.guest === b.guest && a.protocol === b.protocol && a.hostIp === b.hostIp;
}
