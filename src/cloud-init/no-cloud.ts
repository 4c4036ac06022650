import type { GuestIdentity, GuestNetwork } from './seed.ts';
import { withUserData } from './user-data.ts';

export interface NoCloudInput {
  readonly identity: GuestIdentity;
  /** cloud-init does its first-boot work once for each id: the machine's. */
  readonly instanceId: string;
  /** The login user. */
  readonly user: string;
  /** `cloud_init.user_data` of the Machinefile. */
  readonly userData: string | undefined;
  /** `cloud_init.network_config`: used instead of ours. */
  readonly networkConfig: string | undefined;
}

/** The files of a NoCloud seed, by name. */
export interface NoCloudFiles {
  readonly 'user-data': string;
  readonly 'meta-data': string;
  readonly 'network-config': string;
}

/**
 * The seed of other people's boxes, read by cloud-init from a disk labelled CIDATA.
 * JSON stands where YAML is expected: it is YAML.
 */
export function noCloudFiles(input: NoCloudInput): NoCloudFiles {
  const { identity, instanceId, userData, networkConfig } = input;
  return {
    'user-data': withUserData(userData, { identity: identityConfig(input), defaults: defaultsFor(identity) }),
    'meta-data': json({ 'instance-id': instanceId, 'local-hostname': identity.hostname }),
    'network-config': networkConfig ?? json({ version: 2, ethernets: ethernets(identity.networks) }),
  };
}

/** Whatever the user's own configuration says, these hold: without them nobody could log in. */
function identityConfig({ identity, user }: NoCloudInput): object {
  return {
    hostname: identity.hostname,
    // `user` alters the distribution's default user, so that its shell and groups stay.
    user: { name: user, sudo: ['ALL=(ALL) NOPASSWD:ALL'], lock_passwd: user !== 'root' },
    users: ['default'],
    ssh_authorized_keys: [identity.authorizedKey],
    disable_root: user !== 'root',
    ssh_deletekeys: true,
    ssh_keys: { ed25519_private: identity.hostKey.privateKey, ed25519_public: identity.hostKey.publicKey },
  };
}

/** What the user's own configuration may change. */
function defaultsFor({ networks }: GuestIdentity): object {
  return {
    ssh_pwauth: false,
    growpart: { mode: 'auto', devices: ['/'] },
    resize_rootfs: true,
    // Among others its own name is at an address that they can reach, which is told later.
    manage_etc_hosts: networks.length > 1 ? false : 'localhost',
  };
}

/** Netplan's form. An interface is found by its address; the name here is only a label. */
function ethernets(networks: readonly GuestNetwork[]): object {
  return Object.fromEntries(networks.map((network, index) => [`vm${index}`, ethernet(network)]));
}

function ethernet({ macAddress, addresses, gateway, dnsServers, mtu }: GuestNetwork): object {
  return {
    match: { macaddress: macAddress.toLowerCase() },
    ...(addresses === 'dhcp' ? { dhcp4: true } : { addresses }),
    ...(gateway !== undefined && { routes: [{ to: gateway.includes(':') ? '::/0' : '0.0.0.0/0', via: gateway }] }),
    ...(dnsServers.length > 0 && { nameservers: { addresses: dnsServers } }),
    ...(mtu !== undefined && { mtu }),
  };
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
