import { type PlannedVolume, volumeLabel } from '../../machine/volume.ts';
import type { MachineSpec, VolumeMountSpec } from '../../machinefile/spec.ts';
import { type Project, requireSpec } from '../project.ts';

/** The volumes that the Machinefile gives a machine. */
export function plannedVolumes(project: Project, { volumes }: MachineSpec): PlannedVolume[] {
  return volumes.length === 0 ? [] : planVolumes(project, volumes, requireSpec(project).volumes);
}

/** Volumes with all that is known of them, each after that in whose folder it is mounted. */
export function planVolumes(
  { states }: Project,
  mounts: readonly VolumeMountSpec[],
  declared: readonly { readonly name: string; readonly sizeBytes: number | undefined }[] = [],
): PlannedVolume[] {
  return mounts
    .map(({ name, guestPath }) => ({
      name,
      guestPath,
      label: volumeLabel(name),
      path: states.volumes.layout(name).dataPath,
      sizeBytes: declared.find((volume) => volume.name === name)?.sizeBytes,
    }))
    .sort((a, b) => (a.guestPath < b.guestPath ? -1 : 1));
}
