import { ANY_ADDRESS, type PortAddress, type PortProtocol } from '../../host/port-address.ts';
import type { OpenPort } from '../../machine/forwards.ts';

/** QEMU's user network, which forwards the ports. */
export const NETDEV_ID = 'user';

/** A forward as QEMU's `hostfwd` and `hostfwd_add` take it. */
export function forwardRule({ guest, ...hostSide }: OpenPort): string {
  return `${hostRule(hostSide)}-:${guest}`;
}

/** The host's side of a forward, by which `hostfwd_remove` knows it. */
export function hostRule({ protocol, hostIp, host }: Omit<OpenPort, 'guest'>): string {
  return `${protocol}:${hostIp}:${host}`;
}

/**
 * The host port that QEMU could not listen on, from its words at the start or from the answer to `hostfwd_add`; undefined
 * where it says nothing of that. It does not say why. Older ones write it in small letters.
 */
export function takenAddress(words: string): PortAddress | undefined {
  const rule = /could not set up host forwarding rule '(tcp|udp):([^:]*):(\d+)-/i.exec(words);
  if (rule === null) return undefined;
  const [, protocol, hostIp = '', port] = rule;
  return { protocol: protocolOf(protocol), hostIp: hostIp === '' ? ANY_ADDRESS : hostIp, port: Number(port) };
}

/** A line of `info usernet`: protocol, file descriptor, source address and port, destination address and port. */
const FORWARD = /^\s+(TCP|UDP)\[HOST_FORWARD\]\s+\S+\s+(\S+)\s+(\d+)\s+\S+\s+(\d+)\s/;
/** What goes before the connections of a network: `Hub -1 (user):`. */
const NETWORK = /^\S.*\((.*)\):\s*$/;

/** The forwards of our network, from the text of `info usernet`, which tells of every user network. */
export function parseForwards(text: string): OpenPort[] {
  const forwards: OpenPort[] = [];
  let network: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    network = NETWORK.exec(line)?.[1] ?? network;
    const [, protocol, hostIp = '', host, guest] = FORWARD.exec(line) ?? [];
    if (protocol === undefined || network !== NETDEV_ID) continue;
    forwards.push({
      hostIp: hostIp === '*' ? ANY_ADDRESS : hostIp,
      host: Number(host),
      guest: Number(guest),
      protocol: protocolOf(protocol),
    });
  }
  return forwards;
}

function protocolOf(text: string | undefined): PortProtocol {
  return text?.toLowerCase() === 'udp' ? 'udp' : 'tcp';
}
