import { ANY_ADDRESS } from '../../host/port-address.ts';
import type { MachineDocument } from '../schema.ts';
import type { PortProtocol, PortRange, PortRangeSpec, PortSpec } from '../spec.ts';
import { isMistake, type Parsed } from './parsed.ts';

export type PortDocument = NonNullable<NonNullable<MachineDocument>['ports']>[number];

const SHORT_FORM = /^(?:(?:([0-9.]+):)?(?:([0-9-]+))?:)?([0-9-]+)(?:\/(tcp|udp))?$/;
const MAX_PORT = 65_535;
/** Each port is an argument of the hypervisor. */
const MAX_RANGE = 1024;

/** What one entry of `ports` says. */
export function parsePorts(port: PortDocument): Parsed<PortRangeSpec> {
  if (typeof port === 'number') return { value: portRanges({ guest: single(port) }) };
  if (typeof port === 'string') return parseShortForm(port);
  const { guest, host, host_ip: hostIp, protocol, auto_correct: autoCorrect } = port;
  const ranges = { guest: single(guest), host: host === undefined ? undefined : single(host) };
  return { value: portRanges({ ...ranges, hostIp, protocol, autoCorrect }) };
}

/** What an entry says; the rest is as usual. */
export interface PortParts {
  readonly guest: PortRange;
  readonly host?: PortRange | undefined;
  readonly hostIp?: string | undefined;
  readonly protocol?: PortProtocol | undefined;
  readonly autoCorrect?: boolean | undefined;
}

/** The ports that an entry means. */
export function portRanges(parts: PortParts): PortRangeSpec {
  return {
    hostIp: parts.hostIp ?? '127.0.0.1',
    host: parts.host,
    guest: parts.guest,
    protocol: parts.protocol ?? 'tcp',
    autoCorrect: parts.autoCorrect ?? false,
  };
}

function single(port: number): PortRange {
  return { first: port, last: port };
}

function parseShortForm(text: string): Parsed<PortRangeSpec> {
  const parsed = parsePortParts(text);
  return isMistake(parsed) ? parsed : { value: portRanges(parsed.value) };
}

/** What a short form, `[[host_ip:]host:]guest[/tcp|udp]`, says, without defaults. */
export function parsePortParts(text: string): Parsed<PortParts> {
  const form = SHORT_FORM.exec(text);
  if (form === null) return { mistake: `“${text}” is not a port` };
  const [, hostIp, hostText, guestText = '', protocolText] = form;
  const protocol = protocolText === 'udp' || protocolText === 'tcp' ? protocolText : undefined;
  if (hostIp !== undefined && !isIpv4(hostIp)) return { mistake: `“${hostIp}” is not an IPv4 address` };
  const guest = parseRange(guestText);
  if (typeof guest === 'string') return { mistake: guest };
  if (hostText === undefined) return { value: { guest, hostIp, protocol } };
  const host = parseRange(hostText);
  if (typeof host === 'string') return { mistake: host };
  const [hostCount, guestCount] = [countOf(host), countOf(guest)];
  if (hostCount % guestCount !== 0) {
    const cure = 'give ranges of one length, or for replicas several times as many host ports';
    return { mistake: `${hostCount} host ports cannot lead to ${guestCount} guest ports (${cure})` };
  }
  return { value: { host, guest, hostIp, protocol } };
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
  return parts.length === 4 && parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255);
}

export function countOf({ first, last }: PortRange): number {
  return last - first + 1;
}

/** One port, as far as an entry says. */
export interface PortSelector extends Pick<PortParts, 'hostIp' | 'protocol'> {
  readonly guest: number;
  readonly host: number | undefined;
}

/** The ports of an entry that has as many of the host's as of the guest's. */
export function portSelectors({ guest, host, hostIp, protocol }: PortParts): PortSelector[] {
  return Array.from({ length: countOf(guest) }, (_, index) => ({
    guest: guest.first + index,
    host: host && host.first + index,
    hostIp,
    protocol,
  }));
}

/** How many machines the entry has host ports for, where a port that is in use is not replaced. */
export function replicasServed({ host, guest, autoCorrect }: PortRangeSpec): number {
  if (host === undefined || autoCorrect) return Number.POSITIVE_INFINITY;
  return countOf(host) / countOf(guest);
}

/**
 * The ports of one replica: the first gets as many of the host's as there are of the guest's, the second the next ones.
 * What is replaced where it is in use begins alike for all of them. A machine without replicas is the first.
 */
export function dealPorts({ host, guest, ...rest }: PortRangeSpec, replica = 1): PortSpec[] {
  const firstHost = host && host.first + (rest.autoCorrect ? 0 : (replica - 1) * countOf(guest));
  return Array.from({ length: countOf(guest) }, (_, index) => ({
    ...rest,
    host: firstHost && firstHost + index,
    guest: guest.first + index,
  }));
}

export type HostPort = Pick<PortSpec, 'hostIp' | 'host' | 'protocol'>;

/** Whether two ports want the same place on the host. Ports that vm chooses never do. */
export function isSameHostPort(a: HostPort, b: HostPort): boolean {
  if (a.host === undefined || a.host !== b.host || a.protocol !== b.protocol) return false;
  return a.hostIp === b.hostIp || a.hostIp === ANY_ADDRESS || b.hostIp === ANY_ADDRESS;
}
