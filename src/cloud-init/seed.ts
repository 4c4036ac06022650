import { tarArchive } from '../boxes/archives/tar-writer.ts';

/** Who a machine is: given to the guest before its SSH server starts. */
export interface GuestIdentity {
  readonly hostname: string;
  /** The line that lets us in: `ssh-ed25519 AAAA…`. */
  readonly authorizedKey: string;
  /** OpenSSH format. */
  readonly hostKey: { readonly privateKey: string; readonly publicKey: string };
  readonly networks: readonly GuestNetwork[];
  /** Names the guest resolves by /etc/hosts. */
  readonly hosts: readonly { readonly address: string; readonly names: readonly string[] }[];
}

/** One network interface of a guest. */
export interface GuestNetwork {
  readonly macAddress: string;
  /** With prefix length: `10.0.2.15/24`. */
  readonly addresses: 'dhcp' | readonly string[];
  readonly gateway: string | undefined;
  readonly dnsServers: readonly string[];
  readonly mtu: number | undefined;
}

/** The seed of our own boxes: a tar that their boot unit unpacks and applies. */
export function identitySeedTar(identity: GuestIdentity): Uint8Array {
  const { privateKey, publicKey } = identity.hostKey;
  return tarArchive([
    { name: 'hostname', content: `${identity.hostname}\n`, mode: 0o644 },
    { name: 'authorized_keys', content: `${identity.authorizedKey}\n`, mode: 0o600 },
    { name: 'ssh_host_ed25519_key', content: privateKey, mode: 0o600 },
    { name: 'ssh_host_ed25519_key.pub', content: `${publicKey}\n`, mode: 0o644 },
    { name: 'networks', content: identity.networks.map(networkLine).join(''), mode: 0o644 },
    {
      name: 'hosts',
      content: identity.hosts.map(({ address, names }) => `${address} ${names.join(' ')}\n`).join(''),
      mode: 0o644,
    },
  ]);
}

/** `MAC ADDRESS/PREFIX[,…]|dhcp GATEWAY|- DNS[,…]|- MTU|-` */
function networkLine({ macAddress, addresses, gateway, dnsServers, mtu }: GuestNetwork): string {
  const words = [
    macAddress.toLowerCase(),
    addresses === 'dhcp' ? 'dhcp' : addresses.join(','),
    gateway ?? '-',
    dnsServers.join(',') || '-',
    mtu ?? '-',
  ];
  return `${words.join(' ')}\n`;
}
