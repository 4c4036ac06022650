import { startedVolumes } from '../../machine/volume.ts';
import type { VolumeMountSpec } from '../../machinefile/spec.ts';
import { listTargets, type Project, type Target } from '../project.ts';

/** A machine that has a volume when it runs, and where. */
export interface VolumeUser {
  readonly machine: string;
  readonly guestPath: string;
}

/** Which machines have which volumes, by the volume's name. */
export async function volumeUsers(project: Project): Promise<ReadonlyMap<string, readonly VolumeUser[]>> {
  const users = new Map<string, VolumeUser[]>();
  for (const target of await listTargets(project)) {
    for (const { name, guestPath } of await volumesOf(project, target)) {
      users.set(name, [...(users.get(name) ?? []), { machine: target.name, guestPath }]);
    }
  }
  return users;
}

/** The volumes of a machine: those of the Machinefile, else, if that does not say, those it was last started with. */
export async function volumesOf({ states }: Project, { name, spec }: Target): Promise<readonly VolumeMountSpec[]> {
  if (spec !== undefined) return spec.volumes;
  const record = await states.readIfWhole(name);
  return record === undefined ? [] : startedVolumes(record);
}
