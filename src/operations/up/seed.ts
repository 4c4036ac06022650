import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type TarMember, tarArchive } from '../../boxes/archives/tar-writer.ts';
import type { SeedKind } from '../../boxes/box.ts';
import { noCloudFiles } from '../../cloud-init/no-cloud.ts';
import { type GuestIdentity, type GuestNetwork, identitySeed } from '../../cloud-init/seed.ts';
import { ensurePrivateFolder, writeFileAtomic } from '../../host/files.ts';
import { addressesOf, type Nic } from '../../machine/nics.ts';
import type { MachinePlan } from '../../machine/plan.ts';
import type { HostEntry } from '../../networks/names.ts';
import { environmentBlock } from '../../provisioners/environment.ts';
import { guestVolumes } from '../volumes/guest-volumes.ts';
import { readAuthorizedKey } from './identity.ts';

export interface SeedFacts {
  /** The login user. */
  readonly user: string;
  /** What it knows of other machines. */
  readonly hosts: readonly HostEntry[];
}

/**
 * Writes what the guest takes its identity from when it boots, in the way its box understands.
 * @returns the members of what our own boxes take it from; undefined for others.
 */
export async function writeSeed(plan: MachinePlan, { user, hosts }: SeedFacts): Promise<TarMember[] | undefined> {
  const { box, layout, id, spec } = plan;
  if (box === undefined || box.seed === 'vagrant') return undefined;
  const identity = await readIdentity(plan, { seed: box.seed, hosts });
  if (box.seed === 'machinefile') {
    const members = identitySeed(identity, environmentBlock(spec.environment));
    await writeFileAtomic(layout.seedTarPath, tarArchive(members));
    return members;
  }
  const { userData, networkConfig } = spec.cloudInit;
  const files = noCloudFiles({ identity, instanceId: id, user, userData, networkConfig });
  await rm(layout.cloudInitDir, { recursive: true, force: true });
  await ensurePrivateFolder(layout.cloudInitDir);
  for (const [name, text] of Object.entries(files)) await writeFileAtomic(join(layout.cloudInitDir, name), text);
  return undefined;
}

async function readIdentity(
  { spec, layout, macAddress, nics, volumes }: MachinePlan,
  { seed, hosts }: { readonly seed: SeedKind; readonly hosts: readonly HostEntry[] },
): Promise<GuestIdentity> {
  return {
    hostname: spec.hostname,
    authorizedKey: await readAuthorizedKey(spec.ssh, layout),
    hostKey: {
      privateKey: await readFile(layout.hostKeyPath, 'utf8'),
      publicKey: (await readFile(layout.hostPublicKeyPath, 'utf8')).trim(),
    },
    networks: [userNetwork(macAddress, seed), ...nics.map(privateNetwork)],
    hosts: hosts.length > 0 ? hosts : [{ address: '127.0.1.1', names: [spec.hostname] }],
    volumes: await guestVolumes(volumes),
  };
}

function privateNetwork(nic: Nic): GuestNetwork {
  return {
    macAddress: nic.macAddress,
    addresses: addressesOf(nic),
    gateway: undefined,
    dnsServers: [],
    mtu: nic.mtu,
  };
}

/**
 * QEMU's user network always gives its only guest the same address (QEMU's documentation of -netdev user), so our own
 * boxes set it and do not wait for DHCP.
 */
function userNetwork(macAddress: string, seed: SeedKind): GuestNetwork {
  if (seed === 'cloud-init') {
    return { macAddress, addresses: 'dhcp', gateway: undefined, dnsServers: [], mtu: undefined };
  }
  return { macAddress, addresses: ['10.0.2.15/24'], gateway: '10.0.2.2', dnsServers: ['10.0.2.3'], mtu: undefined };
}
