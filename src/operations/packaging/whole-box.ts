import { join } from 'node:path';
import type { Box } from '../../boxes/box.ts';
import { DISK_FILE, extraDiskFile } from '../../boxes/box-file.ts';
import { flatten, type MachineDisk } from '../../boxes/packaging/flatten.ts';
import type { BoxMaking } from './capture.ts';

export interface WholeBox extends AsyncDisposable {
  /** Its disks stand on nothing. */
  readonly box: Box;
}

/**
 * The box with disks that stand on nothing, for those who do not have its parent. Disposing it removes what was made for
 * that. @throws as `runQemuImg`.
 */
export async function wholeBox(box: Box, services: BoxMaking): Promise<WholeBox> {
  if (box.parentKey === undefined) return { box, [Symbol.asyncDispose]: async () => {} };
  const staging = await services.boxes.stage();
  const flattened = async (disk: MachineDisk, file: string): Promise<MachineDisk> => {
    const destPath = join(staging.dir, file);
    await flatten(disk, { format: 'qcow2', destPath }, { context: services, subject: box.name });
    return { ...disk, path: destPath };
  };
  try {
    const { diskPath, virtualSizeBytes } = box;
    const root = await flattened({ path: diskPath, virtualSizeBytes }, DISK_FILE);
    const extraDisks: MachineDisk[] = [];
    for (const [index, disk] of box.extraDisks.entries()) {
      extraDisks.push(await flattened(disk, extraDiskFile(index + 1)));
    }
    return {
      box: { ...box, diskPath: root.path, extraDisks },
      [Symbol.asyncDispose]: () => staging[Symbol.asyncDispose](),
    };
  } catch (error) {
    await staging[Symbol.asyncDispose]();
    throw error;
  }
}
