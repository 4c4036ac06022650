import type { Problem } from '../../../errors.ts';
import { formatSubnet, isForHost, numberIn, parseAddress, parseSubnet, sizeOf } from '../../addresses.ts';
import type { DataPath } from '../../reading/tree.ts';
import { DEFAULT_NETWORK } from '../../resolving/resolve-networks.ts';
import { machinesOf, placeOf, problemAt, type Source } from '../../source.ts';
import { alternatives } from '../../suggest.ts';
import { networkSettings, subnetOf } from './subnets.ts';

interface Membership {
  readonly machine: string;
  readonly replicas: number | undefined;
  readonly network: string;
  readonly address: string | undefined;
  readonly address6: string | undefined;
  readonly mac: string | undefined;
  readonly path: DataPath;
}

/** What machines join is declared, their addresses lie in its subnet, none is given twice, and there are enough. */
export function checkNetworks(source: Source): Problem[] {
  const memberships = membershipsOf(source);
  return [
    ...memberships.flatMap((membership) => checkMembership(source, membership)),
    ...memberships.flatMap((membership) => checkReplicas(source, membership)),
    ...memberships.flatMap((membership, index) => checkAgainstOthers(source, membership, memberships.slice(0, index))),
    ...checkRoom(source, memberships),
  ];
}

function membershipsOf(source: Source): Membership[] {
  return machinesOf(source).flatMap(({ name, machine, replicas, path }) =>
    (machine.networks ?? []).map((network, index) => {
      const settings = typeof network === 'string' ? { name: network } : network;
      const { name: networkName, address, address6, mac } = settings;
      const at = [...path, 'networks', index];
      return { machine: name, replicas, network: networkName, address, address6, mac, path: at };
    }),
  );
}

function checkMembership(source: Source, membership: Membership): Problem[] {
  const { network, mac, path } = membership;
  const declared = Object.keys(source.document.networks ?? {});
  if (network !== DEFAULT_NETWORK && !declared.includes(network)) {
    const message = `network “${network}” is not declared under the top-level “networks”${alternatives(network, declared)}`;
    return [problemAt(source, path, message)];
  }
  const problems = ADDRESS_KEYS.flatMap((keys) => checkAddress(source, membership, keys));
  const isGroup = mac !== undefined && Number.parseInt(mac.slice(0, 2), 16) % 2 === 1;
  return isGroup
    ? [
        ...problems,
        problemAt(source, [...path, 'mac'], `${mac} is the address of a group (make its second digit even)`),
      ]
    : problems;
}

/** The keys of a machine and of its network that belong together. */
const ADDRESS_KEYS = [
  { addressKey: 'address', subnetKey: 'subnet' },
  { addressKey: 'address6', subnetKey: 'subnet6' },
] as const;
type AddressKeys = (typeof ADDRESS_KEYS)[number];

function checkAddress(source: Source, membership: Membership, { addressKey, subnetKey }: AddressKeys): Problem[] {
  const { network } = membership;
  const text = membership[addressKey];
  if (text === undefined) return [];
  const at = [...membership.path, addressKey];
  const address = parseAddress(text);
  if (address === undefined) return [problemAt(source, at, `“${text}” is not an address`)];
  const written = networkSettings(source, network)?.[subnetKey];
  if (written === undefined) {
    const message = `${text} needs a subnet to be in (give network “${network}” the key “${subnetKey}”)`;
    return [problemAt(source, at, message)];
  }
  const subnet = parseSubnet(written);
  if (subnet === undefined) return [];
  const number = numberIn(subnet, address);
  if (number === undefined) {
    return [problemAt(source, at, `${text} is outside ${written}, the subnet of network “${network}”`)];
  }
  if (isForHost(subnet, number)) return [];
  return [problemAt(source, at, `${text} is not for machines: it ends or begins ${written}`)];
}

/** Replicas cannot share what is one machine's. */
function checkReplicas(source: Source, { replicas = 1, address, address6, mac, path }: Membership): Problem[] {
  if (replicas <= 1) return [];
  return Object.entries({ address, address6, mac }).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const message = `${value} cannot belong to ${replicas} replicas (leave “${key}” out, and each gets its own)`;
    return [problemAt(source, [...path, key], message)];
  });
}

function checkAgainstOthers(source: Source, membership: Membership, earlier: readonly Membership[]): Problem[] {
  const { machine, network, mac, path } = membership;
  const problems: Problem[] = [];
  if (earlier.some((other) => other.machine === machine && other.network === network)) {
    problems.push(problemAt(source, path, `machine “${machine}” joins network “${network}” twice`));
  }
  for (const { addressKey } of ADDRESS_KEYS) {
    const text = membership[addressKey];
    const same = earlier.find((other) => isSameAddress(text, other[addressKey]) && other.network === network);
    if (same === undefined) continue;
    const message = `${text} is the address of machine “${same.machine}”, at ${placeOf(source, same.path)}`;
    problems.push(problemAt(source, [...path, addressKey], message));
  }
  const sameMac = earlier.find((other) => mac !== undefined && other.mac?.toLowerCase() === mac.toLowerCase());
  if (sameMac !== undefined) {
    const message = `${mac} is the MAC address of machine “${sameMac.machine}”, at ${placeOf(source, sameMac.path)}`;
    problems.push(problemAt(source, [...path, 'mac'], message));
  }
  return problems;
}

/** IPv6 addresses can be written in several ways. */
function isSameAddress(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  const value = parseAddress(a)?.value;
  return value !== undefined && value === parseAddress(b)?.value;
}

/** Each subnet has an address for every machine that joins. */
function checkRoom(source: Source, memberships: readonly Membership[]): Problem[] {
  return Object.keys(source.document.networks ?? {}).flatMap((name) => {
    const subnet = subnetOf(source, name, 'subnet');
    const counts = memberships.map(({ network, replicas = 1 }) => (network === name ? replicas : 0));
    const members = counts.reduce((sum, count) => sum + count, 0);
    if (subnet === undefined || BigInt(members) <= sizeOf(subnet) - 2n) return [];
    const message = `${formatSubnet(subnet)} has ${sizeOf(subnet) - 2n} addresses for ${members} machines`;
    return [problemAt(source, ['networks', name, 'subnet'], message)];
  });
}
