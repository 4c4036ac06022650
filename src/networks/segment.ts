import { join } from 'node:path';
import { findProcessByArgument } from '../host/processes.ts';
import type { Nic, Segment } from '../machine/nics.ts';

/** Multicast addresses are for use within an organisation that decides by itself (RFC 2365): 239 and the network's id. */
const GROUP_PREFIX = 239;
/** Below the ports that vm forwards and those of outgoing connections, which would be in the way of binding. */
const PORTS = { first: 10_000, count: 10_000 };

/** The segment of a network that needs nothing installed: all its machines find each other without asking. */
export function multicastSegment(networkId: string): Segment {
  const bytes = networkId.match(/../g)?.map((hex) => Number.parseInt(hex, 16)) ?? [];
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = bytes;
  return {
    kind: 'multicast',
    // 239.192 and above are in use by others.
    group: [GROUP_PREFIX, a % 192, b, c].join('.'),
    port: PORTS.first + ((d * 256 + e) % PORTS.count),
  };
}

export function vdeSegment(networkId: string, hostRuntimeDir: string): Segment {
  return { kind: 'vde', switchDir: join(hostRuntimeDir, `net-${networkId}`) };
}

/** QEMU's name of the backend of a network card. */
export function netdevId({ networkId }: Pick<Nic, 'networkId'>): string {
  return `net-${networkId}`;
}

/** The argument that connects QEMU to a segment, which no other segment has. */
export function netdevArgument(networkId: string, segment: Segment): string {
  const id = netdevId({ networkId });
  return segment.kind === 'multicast'
    ? `socket,id=${id},mcast=${segment.group}:${segment.port},localaddr=127.0.0.1`
    : `vde,id=${id},sock=${segment.switchDir}`;
}

/** Whether a machine runs on the segment. Observed: whatever records say. */
export function isInUse(networkId: string, segment: Segment): boolean {
  return findProcessByArgument(netdevArgument(networkId, segment), undefined) !== undefined;
}
