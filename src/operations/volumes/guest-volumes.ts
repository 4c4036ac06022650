import { stat } from 'node:fs/promises';
import type { GuestVolume } from '../../cloud-init/seed.ts';
import { readExt4 } from '../../machine/ext4.ts';
import type { PlannedVolume } from '../../machine/volume.ts';

/** What a guest must know of its volumes, which exist. */
export function guestVolumes(volumes: readonly PlannedVolume[]): Promise<GuestVolume[]> {
  return Promise.all(
    volumes.map(async ({ label, guestPath, path }) => ({ label, guestPath, grows: await hasGrown(path) })),
  );
}

async function hasGrown(path: string): Promise<boolean> {
  const { size } = await stat(path);
  const filesystem = await readExt4(path);
  return filesystem !== undefined && filesystem.sizeBytes < size;
}
