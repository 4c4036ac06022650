/** The Ethernet segment that a network's machines share on this host. */
export type Segment =
  /** Frames as multicast datagrams on loopback: needs nothing installed, but other users of the host may join. */
  | { readonly kind: 'multicast'; readonly group: string; readonly port: number }
  /** A `vde_switch` in a folder that only its owner can enter. */
  | { readonly kind: 'vde'; readonly switchDir: string };

/** A network card of a machine, on one of its project's private networks. */
export interface Nic {
  readonly network: string;
  /** Of the network, on this host: no other project's has it. */
  readonly networkId: string;
  readonly macAddress: string;
  readonly subnet: string;
  readonly address: string;
  readonly subnet6: string | undefined;
  readonly address6: string | undefined;
  /** Bytes; absent: 1500. */
  readonly mtu: number | undefined;
}

export interface ConnectedNic extends Nic {
  readonly segment: Segment;
}

/** Its addresses with the lengths of their prefixes: `10.10.10.2/24`. */
export function addressesOf({ subnet, address, subnet6, address6 }: Nic): string[] {
  const withPrefix = (ip: string, ofSubnet: string) => `${ip}/${ofSubnet.split('/')[1]}`;
  const ipv6 = address6 === undefined || subnet6 === undefined ? [] : [withPrefix(address6, subnet6)];
  return [withPrefix(address, subnet), ...ipv6];
}
