import type { TarMember } from '../boxes/archives/tar-writer.ts';
import { dropbearHostKey } from '../communicators/keys.ts';

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
  /** Mounted in this order. */
  readonly volumes: readonly GuestVolume[];
}

/** A file system to mount. */
export interface GuestVolume {
  readonly label: string;
  readonly guestPath: string;
  /** Its disk has become larger than it is. */
  readonly grows: boolean;
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

/**
 * The members of the seed of our own boxes, which their boot unit unpacks and applies. Older boxes ignore what they do not
 * know. `environment` are lines as of /etc/environment.
 */
export function identitySeed(identity: GuestIdentity, environment: string): TarMember[] {
  const { privateKey, publicKey } = identity.hostKey;
  return [
    { name: 'hostname', content: `${identity.hostname}\n`, mode: 0o644 },
    // sshd reads it as the user who logs in.
    { name: 'authorized_keys', content: `${identity.authorizedKey}\n`, mode: 0o644 },
    { name: 'ssh_host_ed25519_key', content: privateKey, mode: 0o600 },
    { name: 'ssh_host_ed25519_key.pub', content: `${publicKey}\n`, mode: 0o644 },
    { name: 'dropbear_ed25519_host_key', content: dropbearHostKey({ privateKey }), mode: 0o600 },
    { name: 'networks', content: identity.networks.map(networkLine).join(''), mode: 0o644 },
    {
      name: 'hosts',
      content: identity.hosts.map(({ address, names }) => `${address} ${names.join(' ')}\n`).join(''),
      mode: 0o644,
    },
    { name: 'environment', content: environment, mode: 0o644 },
    ...volumesMember(identity.volumes),
  ];
}

function volumesMember(volumes: readonly GuestVolume[]): TarMember[] {
  if (volumes.length === 0) return [];
  const lines = volumes.map((volume) => `${volumeWords(volume).join(' ')}\n`);
  return [{ name: 'volumes', content: lines.join(''), mode: 0o644 }];
}

/** `LABEL keep|grow MOUNT_POINT`, as the guest's `mount-volumes` takes them, too. */
export function volumeWords({ label, guestPath, grows }: GuestVolume): [string, string, string] {
  return [label, grows ? 'grow' : 'keep', guestPath];
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
