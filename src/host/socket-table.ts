import { ANY_ADDRESS, type PortAddress } from './port-address.ts';

/** States of a TCP socket that hold its port against a listener; one that only waits for its end has no process. */
const TIME_WAIT = '06';
const LISTEN = '0A';

interface TableRow {
  readonly address: string;
  readonly port: number;
  readonly state: string;
  readonly inode: string;
}

/**
 * The inodes of the sockets that keep others from `wanted`, those that listen first. `tables` are the texts of
 * /proc/net/{tcp,tcp6} or /proc/net/{udp,udp6}. Pure. Source: proc_net_tcp(5); the columns of udp are the same.
 */
export function inodesOfPort(tables: readonly string[], wanted: Omit<PortAddress, 'protocol'>): string[] {
  const rows = tables.flatMap(parseTable).filter((row) => isInTheWay(row, wanted));
  const listening = rows.filter(({ state }) => state === LISTEN);
  return [...new Set([...listening, ...rows].map(({ inode }) => inode))];
}

function isInTheWay({ address, port, state }: TableRow, wanted: Omit<PortAddress, 'protocol'>): boolean {
  if (port !== wanted.port || state === TIME_WAIT) return false;
  return address === wanted.hostIp || address === ANY_ADDRESS || wanted.hostIp === ANY_ADDRESS;
}

function parseTable(text: string): TableRow[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const fields = line.trim().split(/\s+/);
      const [localHex = '', state, inode] = [fields[1], fields[3], fields[9]];
      const [addressHex = '', portHex = ''] = localHex.split(':');
      if (state === undefined || inode === undefined) return [];
      const address = ipv4Of(addressHex);
      return address === undefined ? [] : [{ address, port: Number.parseInt(portHex, 16), state, inode }];
    });
}

const IPV4_IN_IPV6 = '0000000000000000FFFF0000';
const ANY_IPV6 = '0'.repeat(32);

/** The IPv4 address that a socket listens on; undefined where it takes nothing that comes by IPv4. */
function ipv4Of(hex: string): string | undefined {
  // Most servers on `::` take IPv4 as well; whether this one does is not in the table.
  if (hex === ANY_IPV6) return ANY_ADDRESS;
  const address = hex.startsWith(IPV4_IN_IPV6) ? hex.slice(IPV4_IN_IPV6.length) : hex;
  if (address.length !== 8) return undefined;
  // The kernel prints the four bytes as a number of this processor, and those that vm runs on are little-endian.
  return [...Buffer.from(address, 'hex')].reverse().join('.');
}
