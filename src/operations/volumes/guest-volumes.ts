import { stat } from 'node:fs/promises';
import type { GuestVolume } from '../../cloud-init/seed.ts';
import { unlessMissing } from '../../host/files.ts';
import { readExt4 } from '../../machine/ext4.ts';
import type { PlannedVolume } from '../../machine/volume.ts';

/** What a guest must know of its volumes. */
export function guestVolumes(volumes: readonly PlannedVolume[]): Promise<GuestVolume[]> {
  return Promise.all(
    volumes.map(async ({ label, guestPath, path }) => ({ label, guestPath, grows: await hasGrown(path) })),
  );
}

/** False for a disk that somebody has removed while the guest has it. */
async function hasGrown(path: string): Promise<boolean> {
  const disk = await unlessMissing(stat(path));
  const filesystem = await unlessMissing(readExt4(path));
  return disk !== undefined && filesystem !== undefined && filesystem.sizeBytes < disk.size;
}
