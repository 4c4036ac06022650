import { StateError, UsageError } from '../../errors.ts';
import { alternatives } from '../../machinefile/suggest.ts';
import { clearVolumeLeftovers } from '../leftovers.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { lockVolumes } from './hold.ts';
import { explainHolder, volumeHolders } from './holders.ts';
import { type VolumeUser, volumeUsers } from './users.ts';

/** A volume that exists, as it is now. What is not known of a damaged one is null. */
export interface VolumeStatus {
  readonly name: string;
  /** Of its disk on the host. */
  readonly path: string;
  readonly label: string | null;
  readonly uuid: string | null;
  readonly sizeBytes: number | null;
  readonly filesystemBytes: number | null;
  readonly allocatedBytes: number | null;
  /** ISO 8601. */
  readonly createdAt: string | null;
  /** The machines that have it when they run. */
  readonly users: readonly VolumeUser[];
  /** The one that runs, or is suspended. */
  readonly attachedTo: string | null;
  /** What is wrong with it. */
  readonly problem: string | null;
}

/** All volumes of the project. Waits for no lock, and works without a Machinefile. */
export async function listVolumes(project: Project, services: Services): Promise<VolumeStatus[]> {
  const users = await volumeUsers(project);
  const holders = await volumeHolders(project, services);
  const names = await project.states.volumes.list();
  return Promise.all(
    names.map(async (name) => ({
      ...(await factsOf(project, name)),
      users: users.get(name) ?? [],
      attachedTo: holders.get(name)?.machine ?? null,
    })),
  );
}

async function factsOf({ states }: Project, name: string): Promise<Omit<VolumeStatus, 'users' | 'attachedTo'>> {
  const { dataPath: path } = states.volumes.layout(name);
  const state = await states.volumes.read(name);
  if (state?.kind !== 'whole') {
    const unknown = { label: null, uuid: null, sizeBytes: null, filesystemBytes: null, allocatedBytes: null };
    return { name, path, ...unknown, createdAt: null, problem: state?.reason ?? 'it was just removed' };
  }
  const { record, sizeBytes, filesystemBytes, allocatedBytes } = state;
  const { label, uuid, createdAt } = record;
  return { name, path, label, uuid, sizeBytes, filesystemBytes, allocatedBytes, createdAt, problem: null };
}

/** The volumes of these names. @throws UsageError for one that does not exist. */
export async function volumesNamed(
  project: Project,
  names: readonly string[],
  services: Services,
): Promise<VolumeStatus[]> {
  const volumes = await listVolumes(project, services);
  return [...new Set(names)].map((name) => {
    const found = volumes.find((volume) => volume.name === name);
    if (found !== undefined) return found;
    const existing = volumes.map((volume) => volume.name);
    throw new UsageError(`there is no volume “${name}”${alternatives(name, existing)}`, {
      hint: 'vm volume list shows those of this project; vm up makes those of its machines',
    });
  });
}

/**
 * Removes volumes and what is on them.
 * @throws StateError if a machine that runs, or is suspended, has one of them: nothing is removed then.
 */
export async function removeVolumes(
  project: Project,
  names: readonly string[],
  { purpose, services }: { readonly purpose: string; readonly services: Services },
): Promise<void> {
  {
    await using _locks = await lockVolumes(project, names, { purpose, services });
    await checkDetached(project, names, services);
    for (const name of names) await project.states.volumes.remove(name);
  }
  await clearVolumeLeftovers(project, purpose, services);
  await project.states.removeIfEmpty();
}

/** @throws StateError if a machine that runs or is suspended, other than those of `leaving`, has one of the volumes. */
export async function checkDetached(
  project: Project,
  names: readonly string[],
  services: Services,
  leaving: readonly string[] = [],
): Promise<void> {
  const holders = await volumeHolders(project, services);
  for (const name of names) {
    const holder = holders.get(name);
    if (holder === undefined || leaving.includes(holder.machine)) continue;
    const { doing, hint } = explainHolder(holder);
    throw new StateError(`the volume ${name} is attached to ${holder.machine}, which ${doing}`, { hint });
  }
}
