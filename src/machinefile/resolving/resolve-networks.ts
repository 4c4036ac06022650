import type { MachineSettings, NamedMachine, Source } from '../source.ts';
import type { MembershipSpec, NetworkSpec } from '../spec.ts';

/** The network that machines share where nothing is said of networks. */
export const DEFAULT_NETWORK = 'default';

export function resolveNetworks(
  { document }: Source,
  machines: readonly { readonly networks: readonly MembershipSpec[] }[],
): NetworkSpec[] {
  const declared = Object.entries(document.networks ?? {});
  const isDefaultJoined = machines.some(({ networks }) => networks.some(({ network }) => network === DEFAULT_NETWORK));
  const isDefaultDeclared = declared.some(([name]) => name === DEFAULT_NETWORK);
  const all = isDefaultJoined && !isDefaultDeclared ? [...declared, [DEFAULT_NETWORK, null] as const] : declared;
  return all.map(([name, settings]) => {
    const { subnet, subnet6, enable_ipv6: hasIpv6 = subnet6 !== undefined, mtu } = settings ?? {};
    return { name, subnet, subnet6: hasIpv6 ? subnet6 : 'none', mtu };
  });
}

/** What a machine joins; `sharesDefault` is what all of them do that say nothing. */
export function resolveMemberships({ networks }: MachineSettings, sharesDefault: boolean): MembershipSpec[] {
  const joined = networks ?? (sharesDefault ? [DEFAULT_NETWORK] : []);
  return joined.map((network) => {
    const { name, address, address6, mac } = typeof network === 'string' ? { name: network } : network;
    return { network: name, address, address6, macAddress: mac?.toLowerCase() };
  });
}

/**
 * Several machines, none of which says anything of networks, share one. One that may have several replicas counts as
 * several, however many there are now: a network that came and went with them would take restarts of the others.
 */
export function sharesDefaultNetwork(machines: readonly NamedMachine[]): boolean {
  const areSeveral = machines.length > 1 || machines.some(({ replicas }) => replicas !== undefined);
  return areSeveral && machines.every(({ machine }) => machine.networks === undefined);
}
