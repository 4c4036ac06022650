export type PortProtocol = 'tcp' | 'udp';

/** A port of this host. */
export interface PortAddress {
  readonly hostIp: string;
  readonly port: number;
  readonly protocol: PortProtocol;
}

/** Listens on all addresses of this host, and so is in the way of a listener on any of them. */
export const ANY_ADDRESS = '0.0.0.0';

/** As it is called in messages: `8080`, `5353/udp`. */
export function portText({ port, protocol }: Omit<PortAddress, 'hostIp'>): string {
  return protocol === 'tcp' ? String(port) : `${port}/${protocol}`;
}
