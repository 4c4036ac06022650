import type { Problem } from '../../../errors.ts';
import { formatSubnet, overlaps, parseAddress, parseSubnet, type Subnet } from '../../addresses.ts';
import { problemAt, type Source } from '../../source.ts';

type SubnetKey = 'subnet' | 'subnet6';

/** Subnets are written as such, and do not overlap; with IPv6 packets may be as large as it needs. */
export function checkSubnets(source: Source): Problem[] {
  const names = Object.keys(source.document.networks ?? {});
  return names.flatMap((name, index) => [
    ...checkSubnet(source, { name, key: 'subnet', earlier: names.slice(0, index) }),
    ...checkSubnet(source, { name, key: 'subnet6', earlier: names.slice(0, index) }),
    ...checkIpv6(source, name),
  ]);
}

interface SubnetPlace {
  readonly name: string;
  readonly key: SubnetKey;
  /** The networks before it. */
  readonly earlier: readonly string[];
}

function checkSubnet(source: Source, { name, key, earlier }: SubnetPlace): Problem[] {
  const text = networkSettings(source, name)?.[key];
  if (text === undefined) return [];
  const path = ['networks', name, key];
  const subnet = parseSubnet(text);
  if (subnet === undefined) return [problemAt(source, path, `“${text}” is not a subnet`)];
  const base = parseAddress(text.split('/')[0] ?? '');
  if (base?.value !== subnet.first.value) {
    return [problemAt(source, path, `${text} is an address in a subnet (write ${formatSubnet(subnet)})`)];
  }
  const overlapping = earlier.find((other) => {
    const otherSubnet = subnetOf(source, other, key);
    return otherSubnet !== undefined && overlaps(otherSubnet, subnet);
  });
  return overlapping === undefined ? [] : [problemAt(source, path, `${text} overlaps network “${overlapping}”`)];
}

/** Of a link, by RFC 8200. */
const LEAST_IPV6_MTU = 1280;

function checkIpv6(source: Source, name: string): Problem[] {
  const { enable_ipv6: isEnabled, subnet6, mtu } = networkSettings(source, name) ?? {};
  const path = ['networks', name];
  if (isEnabled === false && subnet6 !== undefined) {
    return [
      problemAt(source, [...path, 'subnet6'], '“subnet6” is given, and “enable_ipv6” is false (remove one of them)'),
    ];
  }
  const hasIpv6 = isEnabled === true || subnet6 !== undefined;
  if (!hasIpv6 || mtu === undefined || mtu >= LEAST_IPV6_MTU) return [];
  return [problemAt(source, [...path, 'mtu'], `${mtu} bytes are too few for IPv6 (at least ${LEAST_IPV6_MTU})`)];
}

export function subnetOf(source: Source, network: string, key: SubnetKey): Subnet | undefined {
  const text = networkSettings(source, network)?.[key];
  return text === undefined ? undefined : parseSubnet(text);
}

/** What the top-level `networks` says of it. */
export function networkSettings({ document }: Source, network: string) {
  const networks = document.networks ?? {};
  return Object.hasOwn(networks, network) ? networks[network] : undefined;
}
