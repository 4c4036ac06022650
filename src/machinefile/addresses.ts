import { isIPv4, isIPv6, SocketAddress } from 'node:net';

export type AddressFamily = 'ipv4' | 'ipv6';

/** An IP address as a number. */
export interface Address {
  readonly family: AddressFamily;
  readonly value: bigint;
}

export interface Subnet {
  /** Its first address. */
  readonly first: Address;
  /** How many bits of an address are the subnet's. */
  readonly prefixLength: number;
}

const BITS = { ipv4: 32, ipv6: 128 } as const;

/** The text as an address; undefined if it is none. */
export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return { family: 'ipv4', value: fromDigits(text.split('.').map(Number), 8n) };
  return isIPv6(text) ? { family: 'ipv6', value: fromDigits(ipv6Groups(text), 16n) } : undefined;
}

function fromDigits(digits: readonly number[], bits: bigint): bigint {
  return digits.reduce((sum, digit) => (sum << bits) | BigInt(digit), 0n);
}

/** The eight groups of a valid address: what `::` leaves out is zero, and an IPv4 address at its end is two of them. */
function ipv6Groups(text: string): number[] {
  const [head = [], tail] = text.split('::').map((part) => part.split(':').filter(Boolean).flatMap(groupsOf));
  if (tail === undefined) return head;
  return [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

function groupsOf(part: string): number[] {
  const address = part.includes('.') ? parseAddress(part) : undefined;
  if (address === undefined) return [Number.parseInt(part, 16)];
  return [Number(address.value >> 16n), Number(address.value & 0xffffn)];
}

/** In the usual, shortest form. */
export function formatAddress({ family, value }: Address): string {
  if (family === 'ipv4') return digitsOf(value, 4, 8n).join('.');
  const address = digitsOf(value, 8, 16n)
    .map((group) => group.toString(16))
    .join(':');
  return new SocketAddress({ family, address }).address;
}

function digitsOf(value: bigint, count: number, bits: bigint): bigint[] {
  return Array.from({ length: count }, (_, i) => (value >> (bits * BigInt(count - 1 - i))) & ((1n << bits) - 1n));
}

/** `10.10.10.0/24` as a subnet; undefined if it is none. An address that is not the first is taken for it. */
export function parseSubnet(text: string): Subnet | undefined {
  const [, base = '', length = ''] = /^([^/]+)\/([0-9]{1,3})$/.exec(text) ?? [];
  const address = parseAddress(base);
  if (address === undefined || Number(length) > BITS[address.family]) return undefined;
  const hostBits = BigInt(BITS[address.family] - Number(length));
  return { first: { ...address, value: (address.value >> hostBits) << hostBits }, prefixLength: Number(length) };
}

export function formatSubnet({ first, prefixLength }: Subnet): string {
  return `${formatAddress(first)}/${prefixLength}`;
}

/** How many addresses it has. */
export function sizeOf({ first, prefixLength }: Subnet): bigint {
  return 1n << BigInt(BITS[first.family] - prefixLength);
}

/** The address so many after the first. */
export function addressAt({ first }: Subnet, number: bigint): Address {
  return { ...first, value: first.value + number };
}

/** How many after the first the address is; undefined if it is outside. */
export function numberIn(subnet: Subnet, { family, value }: Address): bigint | undefined {
  const number = value - subnet.first.value;
  return family === subnet.first.family && number >= 0n && number < sizeOf(subnet) ? number : undefined;
}

export function overlaps(a: Subnet, b: Subnet): boolean {
  return numberIn(a, b.first) !== undefined || numberIn(b, a.first) !== undefined;
}

/** Whether a machine can have it: of IPv4 the first and the last are not addresses of hosts, of IPv6 the first is not. */
export function isForHost(subnet: Subnet, number: bigint): boolean {
  return number > 0n && (subnet.first.family === 'ipv6' || number < sizeOf(subnet) - 1n);
}
