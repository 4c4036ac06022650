import { createHash } from 'node:crypto';
import { VmError } from '../errors.ts';
import type { Nic } from '../machine/nics.ts';
import {
  addressAt,
  formatAddress,
  formatSubnet,
  isForHost,
  numberIn,
  overlaps,
  parseAddress,
  parseSubnet,
  type Subnet,
  sizeOf,
} from '../machinefile/addresses.ts';
import type { MembershipSpec, NetworkSpec } from '../machinefile/spec.ts';

/** A machine as far as networks have to do with it. */
export interface Member {
  readonly name: string;
  readonly networks: readonly MembershipSpec[];
}

export interface AllocationInput {
  readonly project: { readonly name: string; readonly projectDir: string; readonly networks: readonly NetworkSpec[] };
  /** In the order of the Machinefile. */
  readonly members: readonly Member[];
  /** What machines have had until now, by their names: kept as long as the Machinefile allows it. */
  readonly previous: ReadonlyMap<string, readonly Nic[]>;
  /** Subnets that the host can reach: a network of ours would hide them from its machines. */
  readonly hostSubnets: readonly Subnet[];
}

/**
 * The network cards of every machine, by its name. Pure, and the same for everybody: what the Machinefile leaves open
 * follows from names and their order, so that it is known before a machine exists.
 */
export function allocateNics(input: AllocationInput): Map<string, Nic[]> {
  const allocated = new Map<string, AllocatedNetwork>();
  for (const network of input.project.networks) {
    allocated.set(network.name, allocateNetwork(network, input, [...allocated.values()]));
  }
  return new Map(
    input.members.map(({ name, networks }) => [
      name,
      networks.flatMap(({ network }) => allocated.get(network)?.nics.get(name) ?? []),
    ]),
  );
}

interface AllocatedNetwork {
  readonly subnet: Subnet;
  readonly nics: ReadonlyMap<string, Nic>;
}

function allocateNetwork(
  network: NetworkSpec,
  input: AllocationInput,
  earlier: readonly AllocatedNetwork[],
): AllocatedNetwork {
  const { project, members, previous } = input;
  const joined = members.flatMap(({ name, networks }) => {
    const membership = networks.find((candidate) => candidate.network === network.name);
    const before = previous.get(name)?.find((nic) => nic.network === network.name);
    return membership === undefined ? [] : [{ name, membership, before }];
  });
  const before = joined.find((member) => member.before !== undefined)?.before;
  const networkId = before?.networkId ?? digestOf([project.projectDir, network.name]).slice(0, NETWORK_ID_LENGTH);
  const subnet = chooseSubnet(network, { before, input, earlier });
  const subnet6 = chooseSubnet6(network, { before, project });
  const gone = nicsOfOthers(network.name, input);
  const addresses = allocateAddresses(
    subnet,
    joined.map(({ name, membership, before }) => ({ name, fixed: membership.address, before: before?.address })),
    gone.map(({ address }) => address),
  );
  const addresses6 =
    subnet6 &&
    allocateAddresses(
      subnet6,
      joined.map(({ name, membership, before }) => ({ name, fixed: membership.address6, before: before?.address6 })),
      gone.flatMap(({ address6 }) => address6 ?? []),
    );
  const nics = joined.map(({ name, membership }): [string, Nic] => [
    name,
    {
      network: network.name,
      networkId,
      macAddress: membership.macAddress ?? macAddressFor([project.name, name, network.name]),
      subnet: formatSubnet(subnet),
      address: required(addresses.get(name)),
      subnet6: subnet6 && formatSubnet(subnet6),
      address6: addresses6?.get(name),
      mtu: network.mtu,
    },
  ]);
  return { subnet, nics: new Map(nics) };
}

/** Of machines that exist though the Machinefile does not name them any more: they may run. */
function nicsOfOthers(network: string, { members, previous }: AllocationInput): Nic[] {
  const others = [...previous].filter(([name]) => !members.some((member) => member.name === name));
  return others.flatMap(([, nics]) => nics.filter((nic) => nic.network === network));
}

/** Enough not to meet by chance, and short enough for the name of a folder with sockets. */
const NETWORK_ID_LENGTH = 12;

/** Where no subnet is given: 10.64.0.0/10, whose place in everybody's networks is as quiet as any, in pieces of /24. */
const CHOSEN_SUBNETS = { first: parseAddress('10.64.0.0'), count: 2 ** 14, prefixLength: 24 };

function chooseSubnet(
  { name, subnet }: NetworkSpec,
  { before, input, earlier }: { before: Nic | undefined; input: AllocationInput; earlier: readonly AllocatedNetwork[] },
): Subnet {
  const { project, hostSubnets } = input;
  if (subnet !== undefined) return required(parseSubnet(subnet));
  const declared = project.networks.flatMap((other) => (other.subnet && parseSubnet(other.subnet)) || []);
  const kept = before && parseSubnet(before.subnet);
  if (kept !== undefined && !declared.some((other) => overlaps(other, kept))) return kept;
  const taken = [...declared, ...earlier.map((network) => network.subnet), ...hostSubnets];
  const start = Number.parseInt(digestOf([project.name, name]).slice(0, 8), 16);
  for (let offset = 0; offset < CHOSEN_SUBNETS.count; offset++) {
    const place = BigInt((start + offset) % CHOSEN_SUBNETS.count);
    const first = addressAt({ first: required(CHOSEN_SUBNETS.first), prefixLength: 10 }, place * 256n);
    const candidate = { first, prefixLength: CHOSEN_SUBNETS.prefixLength };
    if (!taken.some((other) => overlaps(other, candidate))) return candidate;
  }
  throw new Error('no subnet of 10.64.0.0/10 is free');
}

/** Unique local addresses, RFC 4193: fd, 40 bits that nobody else has by chance, the number of the subnet. */
function chooseSubnet6(
  { name, subnet6 }: NetworkSpec,
  { before, project }: { readonly before: Nic | undefined; readonly project: AllocationInput['project'] },
): Subnet | undefined {
  if (subnet6 === 'none') return undefined;
  const digest = digestOf([project.name, name]);
  const groups = [`fd${digest.slice(0, 2)}`, digest.slice(2, 6), digest.slice(6, 10), digest.slice(10, 14)];
  return required(parseSubnet(subnet6 ?? before?.subnet6 ?? `${groups.join(':')}::/64`));
}

interface AddressWish {
  readonly name: string;
  readonly fixed: string | undefined;
  readonly before: string | undefined;
}

/** The first address is left to a gateway that somebody may want, as long as there are others. */
function allocateAddresses(
  subnet: Subnet,
  wishes: readonly AddressWish[],
  reserved: readonly string[],
): Map<string, string> {
  const chosen = new Map<string, bigint>();
  const reservedNumbers = new Set(reserved.map((text) => numberOf(subnet, text)));
  const isFree = (number: bigint) =>
    isForHost(subnet, number) && !reservedNumbers.has(number) && ![...chosen.values()].includes(number);
  const take = (name: string, text: string | undefined) => {
    const number = text === undefined ? undefined : numberOf(subnet, text);
    if (number !== undefined && isFree(number)) chosen.set(name, number);
  };
  for (const { name, fixed } of wishes) {
    if (fixed !== undefined) chosen.set(name, required(numberOf(subnet, fixed)));
  }
  for (const { name, before } of wishes) if (!chosen.has(name)) take(name, before);
  for (const { name } of wishes) {
    if (chosen.has(name)) continue;
    const number = firstFree(subnet, isFree);
    if (number === undefined) throw noneFree(subnet, name);
    chosen.set(name, number);
  }
  return new Map([...chosen].map(([name, number]) => [name, formatAddress(addressAt(subnet, number))]));
}

function numberOf(subnet: Subnet, text: string): bigint | undefined {
  const address = parseAddress(text);
  return address && numberIn(subnet, address);
}

function firstFree(subnet: Subnet, isFree: (number: bigint) => boolean): bigint | undefined {
  for (let number = 2n; number < sizeOf(subnet); number++) if (isFree(number)) return number;
  return isFree(1n) ? 1n : undefined;
}

/** There are enough for the machines of the Machinefile, which is checked: others have them. */
function noneFree(subnet: Subnet, machine: string): VmError {
  return new VmError(`no address of ${formatSubnet(subnet)} is free for ${machine}`, {
    hint: 'machines that are not in the Machinefile any more have some: vm status shows them, vm destroy removes them',
  });
}

/** A locally administered unicast address in QEMU's own range, 52:54:00. */
function macAddressFor(names: readonly string[]): string {
  return ['52:54:00', ...(digestOf(names).slice(0, 6).match(/../g) ?? [])].join(':');
}

function digestOf(parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex');
}

/** What the checks of the Machinefile, and this file, vouch for. */
function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a network passed the checks that it should not have');
  return value;
}
