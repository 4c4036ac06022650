import type { MachineDocument } from '../schema.ts';
import type { PortProtocol, PortSpec } from '../spec.ts';
import type { Parsed } from './parsed.ts';

export type PortDocument = NonNullable<NonNullable<MachineDocument>['ports']>[number];

const SHORT_FORM = /^(?:(?:([0-9.]+):)?(?:([0-9-]+))?:)?([0-9-]+)(?:\/(tcp|udp))?$/;
const MAX_PORT = 65_535;
/** Each port is an argument of the hypervisor. */
const MAX_RANGE = 1024;
const ANY_ADDRESS = '0.0.0.0';

interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** The ports that one entry of `ports` forwards: several where it has ranges. */
export function parsePorts(port: PortDocument): Parsed<readonly PortSpec[]> {
  if (typeof port === 'number') return { value: [portSpec({ guest: port })] };
  if (typeof port === 'string') return parseShortForm(port);
  const { guest, host, host_ip: hostIp, protocol, auto_correct: autoCorrect } = port;
  return { value: [portSpec({ guest, host, hostIp, protocol, autoCorrect })] };
}

interface PortParts {
  readonly guest: number;
  readonly host?: number | undefined;
  readonly hostIp?: string | undefined;
  readonly protocol?: PortProtocol | undefined;
  readonly autoCorrect?: boolean | undefined;
}

function portSpec(parts: PortParts): PortSpec {
  return {
    hostIp: parts.hostIp ?? '127.0.0.1',
    host: parts.host,
    guest: parts.guest,
    protocol: parts.protocol ?? 'tcp',
    autoCorrect: parts.autoCorrect ?? false,
  };
}

function parseShortForm(text: string): Parsed<readonly PortSpec[]> {
  const [, hostIp, hostText, guestText = '', protocolText] = SHORT_FORM.exec(text) ?? [];
  const protocol: PortProtocol = protocolText === 'udp' ? 'udp' : 'tcp';
  if (hostIp !== undefined && !isIpv4(hostIp)) return { mistake: `“${hostIp}” is not an IPv4 address` };
  const guest = parseRange(guestText);
  if (typeof guest === 'string') return { mistake: guest };
  if (hostText === undefined) return { value: portsOf(guest, (port) => portSpec({ guest: port, hostIp, protocol })) };
  const host = parseRange(hostText);
  if (typeof host === 'string') return { mistake: host };
  const [hostCount, guestCount] = [countOf(host), countOf(guest)];
  if (hostCount !== guestCount) return { mistake: describeMismatch(hostCount, guestCount) };
  const offset = host.first - guest.first;
  return { value: portsOf(guest, (port) => portSpec({ guest: port, host: port + offset, hostIp, protocol })) };
}

function describeMismatch(hostCount: number, guestCount: number): string {
  if (guestCount > 1)
    return `${hostCount} host ports cannot lead to ${guestCount} guest ports (give ranges of one length)`;
  return 'several host ports for one guest port are for replicas, and “replicas” is not built yet (give one host port)';
}

function countOf({ first, last }: PortRange): number {
  return last - first + 1;
}

function portsOf(range: PortRange, make: (port: number) => PortSpec): PortSpec[] {
  return Array.from({ length: countOf(range) }, (_, index) => make(range.first + index));
}

function parseRange(text: string): PortRange | string {
  const [, firstText, lastText = firstText] = /^([0-9]+)(?:-([0-9]+))?$/.exec(text) ?? [];
  const [first, last] = [Number(firstText), Number(lastText)];
  if (![first, last].every((port) => port >= 1 && port <= MAX_PORT))
    return `“${text}” is not a port (1 to ${MAX_PORT})`;
  if (first > last) return `“${text}” runs backwards (write ${last}-${first})`;
  return last - first < MAX_RANGE ? { first, last } : `“${text}” is too long a range (at most ${MAX_RANGE} ports)`;
}

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^[0-9]{1,3}$/.test(part) && Number(part) <= 255);
}

export type HostPort = Pick<PortSpec, 'hostIp' | 'host' | 'protocol'>;

/** Whether two ports want the same place on the host. Ports that vm chooses never do. */
export function isSameHostPort(a: HostPort, b: HostPort): boolean {
  if (a.host === undefined || a.host !== b.host || a.protocol !== b.protocol) return false;
  return a.hostIp === b.hostIp || a.hostIp === ANY_ADDRESS || b.hostIp === ANY_ADDRESS;
}
