import { describe, expect, test } from 'vitest';
import type { Nic } from '../../../src/machine/nics.ts';
import { parseSubnet } from '../../../src/machinefile/addresses.ts';
import type { MembershipSpec, NetworkSpec } from '../../../src/machinefile/spec.ts';
import { type AllocationInput, allocateNics } from '../../../src/networks/allocate.ts';

function network(name: string, settings: Partial<NetworkSpec> = {}): NetworkSpec {
  return { name, subnet: undefined, subnet6: 'none', mtu: undefined, ...settings };
}

function joining(name: string, ...networks: (string | (Partial<MembershipSpec> & { network: string }))[]) {
  const open = { address: undefined, address6: undefined, macAddress: undefined };
  return { name, networks: networks.map((of) => ({ ...open, ...(typeof of === 'string' ? { network: of } : of) })) };
}

interface Lab extends Partial<Pick<AllocationInput, 'members' | 'previous' | 'hostSubnets'>> {
  readonly networks: readonly NetworkSpec[];
  readonly projectDir?: string;
}

function allocate({ networks, members = [], previous = new Map(), hostSubnets = [], projectDir = '/srv/shop' }: Lab) {
  return allocateNics({ project: { name: 'shop', projectDir, networks }, members, previous, hostSubnets });
}

function nicOf(nics: ReadonlyMap<string, readonly Nic[]>, name: string, index = 0): Nic {
  const nic = nics.get(name)?.[index];
  if (nic === undefined) throw new Error(`${name} has no card ${index}`);
  return nic;
}

const LAB = network('lab', { subnet: '10.7.0.0/24' });
const THREE = [joining('a', 'lab'), joining('b', 'lab'), joining('c', 'lab')];
const addresses = (nics: ReadonlyMap<string, readonly Nic[]>) =>
  [...nics].map(([name, [nic]]) => `${name} ${nic?.address}`);

describe('addresses', () => {
  test('are given in the order of the file, beside those that are fixed', () => {
    const members = [joining('a', 'lab'), joining('b', { network: 'lab', address: '10.7.0.2' }), joining('c', 'lab')];
    expect(addresses(allocate({ networks: [LAB], members }))).toEqual(['a 10.7.0.3', 'b 10.7.0.2', 'c 10.7.0.4']);
  });

  test('are kept, whatever comes and goes', () => {
    const previous = allocate({ networks: [LAB], members: THREE });
    const members = [joining('new', 'lab'), joining('c', 'lab'), joining('a', 'lab')];
    expect(addresses(allocate({ networks: [LAB], members, previous }))).toEqual([
      'new 10.7.0.5', // b, which the file does not name any more, may run
      'c 10.7.0.4',
      'a 10.7.0.2',
    ]);
  });

  test('give way to one that is fixed, and to another subnet', () => {
    const previous = allocate({ networks: [LAB], members: THREE });
    const fixed = [joining('a', 'lab'), joining('b', { network: 'lab', address: '10.7.0.2' })];
    expect(addresses(allocate({ networks: [LAB], members: fixed, previous }))).toEqual(['a 10.7.0.3', 'b 10.7.0.2']);
    const moved = network('lab', { subnet: '10.8.0.0/24' });
    expect(addresses(allocate({ networks: [moved], members: THREE, previous }))).toEqual([
      'a 10.8.0.2',
      'b 10.8.0.3',
      'c 10.8.0.4',
    ]);
  });

  test('are not those of a machine that may still run: without another it is said', () => {
    const smallest = network('lab', { subnet: '10.7.0.0/30' });
    const previous = allocate({ networks: [smallest], members: THREE.slice(0, 2) });
    const members = [joining('c', 'lab')];
    expect(() => allocate({ networks: [smallest], members, previous })).toThrow(
      'no address of 10.7.0.0/30 is free for c',
    );
  });

  test('fill the smallest subnet', () => {
    const tiny = network('lab', { subnet: '10.7.0.0/30' });
    expect(addresses(allocate({ networks: [tiny], members: THREE.slice(0, 2) }))).toEqual(['a 10.7.0.2', 'b 10.7.0.1']);
  });

  test('of IPv6, chosen and given', () => {
    const chosen = nicOf(allocate({ networks: [network('lab', { subnet6: undefined })], members: THREE }), 'b');
    expect(chosen.subnet6).toMatch(/^fd[0-9a-f]{2}:[0-9a-f]+:[0-9a-f]+:[0-9a-f]+::\/64$/);
    expect(chosen.address6).toBe(chosen.subnet6?.replace('/64', '3'));
    const given = allocate({
      networks: [network('lab', { subnet6: 'fd00::/64' })],
      members: [joining('a', { network: 'lab', address6: 'fd00:0::9' }), joining('b', 'lab')],
    });
    expect([nicOf(given, 'a').address6, nicOf(given, 'b').address6]).toEqual(['fd00::9', 'fd00::2']);
  });
});

describe('subnets that are chosen', () => {
  const subnetsWith = (
    lab: Omit<Lab, 'networks' | 'members'> & { readonly networks?: readonly NetworkSpec[] } = {},
  ) => {
    const networks = [...(lab.networks ?? []), network('one'), network('two')];
    const nics = allocate({ ...lab, networks, members: [joining('a', 'one', 'two')] });
    return [nicOf(nics, 'a', 0).subnet, nicOf(nics, 'a', 1).subnet];
  };

  test('are the same for everybody, and private', () => {
    const subnets = subnetsWith();
    expect(subnetsWith({ projectDir: '/home/other/shop' })).toEqual(subnets);
    expect(new Set(subnets).size).toBe(2);
    for (const subnet of subnets) expect(subnet).toMatch(/^10\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.\d+\.0\/24$/);
  });

  test('are not those of others', () => {
    const [first = '', second = ''] = subnetsWith();
    const hostSubnets = [parseSubnet(first), parseSubnet(second)].filter((subnet) => subnet !== undefined);
    for (const subnet of subnetsWith({ hostSubnets })) expect([first, second]).not.toContain(subnet);
    expect(subnetsWith({ networks: [network('declared', { subnet: first })] })[0]).not.toBe(first);
  });

  test('are kept, also when the host would now be in the way', () => {
    const networks = [network('lab')];
    const members = THREE.slice(0, 1);
    const previous = allocate({ networks, members });
    const before = nicOf(previous, 'a');
    const subnet = parseSubnet(before.subnet);
    if (subnet === undefined) throw new Error('it is a subnet');
    expect(nicOf(allocate({ networks, members, previous, hostSubnets: [subnet] }), 'a')).toEqual(before);
  });
});

test('a network is one project’s, wherever that is moved; a card is named after its machine', () => {
  const networks = [LAB];
  const here = allocate({ networks, members: THREE });
  const there = allocate({ networks, members: THREE, projectDir: '/srv/copy' });
  expect(nicOf(here, 'a').networkId).not.toBe(nicOf(there, 'a').networkId);
  const moved = allocate({
    networks,
    members: THREE,
    projectDir: '/srv/copy',
    previous: new Map([['b', here.get('b') ?? []]]),
  });
  expect(nicOf(moved, 'a').networkId).toBe(nicOf(here, 'a').networkId);
  expect(nicOf(here, 'a').macAddress).toBe(nicOf(there, 'a').macAddress);
  expect(new Set([...here.values()].map(([nic]) => nic?.macAddress)).size).toBe(3);
  expect(nicOf(here, 'a').macAddress).toMatch(/^52:54:00(:[0-9a-f]{2}){3}$/);
});
