import type { Problem } from '../../../errors.ts';
import type { DataPath } from '../../reading/tree.ts';
import { machinesOf, placeOf, problemAt, type Source } from '../../source.ts';
import { alternatives } from '../../suggest.ts';

interface Membership {
  readonly machine: string;
  readonly network: string;
  readonly address: string | undefined;
  readonly mac: string | undefined;
  readonly path: DataPath;
}

interface Subnet {
  readonly first: number;
  readonly last: number;
  readonly text: string;
}

/** Networks are declared, addresses lie in their subnet, and none is given twice. */
export function checkNetworks(source: Source): Problem[] {
  const memberships = membershipsOf(source);
  return [
    ...memberships.flatMap((membership) => checkMembership(source, membership)),
    ...memberships.flatMap((membership, index) => checkAgainstOthers(source, membership, memberships.slice(0, index))),
    ...checkSubnets(source),
  ];
}

function membershipsOf(source: Source): Membership[] {
  return machinesOf(source).flatMap(({ name, machine, path }) =>
    (machine.networks ?? []).map((network, index) => {
      const { name: networkName, address, mac } = typeof network === 'string' ? { name: network } : network;
      return { machine: name, network: networkName, address, mac, path: [...path, 'networks', index] };
    }),
  );
}

function checkMembership(source: Source, { network, address, path }: Membership): Problem[] {
  const declared = Object.keys(source.document.networks ?? {});
  if (network !== 'default' && !declared.includes(network)) {
    const message = `network “${network}” is not declared under the top-level “networks”${alternatives(network, declared)}`;
    return [problemAt(source, path, message)];
  }
  const subnet = subnetOf(source, network);
  if (address === undefined || subnet === undefined) return [];
  const number = ipv4Number(address);
  const addressPath = [...path, 'address'];
  if (number < subnet.first || number > subnet.last) {
    return [problemAt(source, addressPath, `${address} is outside ${subnet.text}, the subnet of network “${network}”`)];
  }
  const isReserved = number === subnet.first || number === subnet.last;
  return isReserved
    ? [problemAt(source, addressPath, `${address} is not for machines: it ends or begins ${subnet.text}`)]
    : [];
}

function checkAgainstOthers(source: Source, membership: Membership, earlier: readonly Membership[]): Problem[] {
  const { machine, network, address, mac, path } = membership;
  const problems: Problem[] = [];
  if (earlier.some((other) => other.machine === machine && other.network === network)) {
    problems.push(problemAt(source, path, `machine “${machine}” joins network “${network}” twice`));
  }
  const sameAddress = earlier.find(
    (other) => address !== undefined && other.address === address && other.network === network,
  );
  if (sameAddress !== undefined) {
    const message = `${address} is the address of machine “${sameAddress.machine}”, at ${placeOf(source, sameAddress.path)}`;
    problems.push(problemAt(source, [...path, 'address'], message));
  }
  const sameMac = earlier.find((other) => mac !== undefined && other.mac?.toLowerCase() === mac.toLowerCase());
  if (sameMac !== undefined) {
    const message = `${mac} is the MAC address of machine “${sameMac.machine}”, at ${placeOf(source, sameMac.path)}`;
    problems.push(problemAt(source, [...path, 'mac'], message));
  }
  return problems;
}

function checkSubnets(source: Source): Problem[] {
  const names = Object.keys(source.document.networks ?? {});
  return names.flatMap((name, index) => {
    const subnet = subnetOf(source, name);
    if (subnet === undefined) return [];
    const path = ['networks', name, 'subnet'];
    const base = subnet.text.split('/')[0] ?? '';
    if (ipv4Number(base) !== subnet.first) {
      const length = subnet.text.split('/')[1];
      return [
        problemAt(source, path, `${subnet.text} is an address in a subnet (write ${ipv4Text(subnet.first)}/${length})`),
      ];
    }
    const overlapping = names.slice(0, index).find((other) => overlaps(subnetOf(source, other), subnet));
    return overlapping === undefined
      ? []
      : [problemAt(source, path, `${subnet.text} overlaps network “${overlapping}”`)];
  });
}

function overlaps(a: Subnet | undefined, b: Subnet): boolean {
  return a !== undefined && a.first <= b.last && b.first <= a.last;
}

function subnetOf({ document }: Source, network: string): Subnet | undefined {
  const networks = document.networks ?? {};
  const text = Object.hasOwn(networks, network) ? networks[network]?.subnet : undefined;
  if (text === undefined) return undefined;
  const [base = '', length] = text.split('/');
  const size = 2 ** (32 - Number(length));
  const first = Math.floor(ipv4Number(base) / size) * size;
  return { first, last: first + size - 1, text };
}

function ipv4Number(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function ipv4Text(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}
