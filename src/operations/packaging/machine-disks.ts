import type { Box } from '../../boxes/box.ts';
import { readDiskSize } from '../../boxes/formats/disk-size.ts';
import type { MachineDisk } from '../../boxes/packaging/flatten.ts';
import type { MachineLayout } from '../../machine/layout.ts';

export type MachineDisks = readonly [MachineDisk, ...MachineDisk[]];

/** The disks of a machine that is stopped, the root disk first. @throws StateError if one is not qcow2 any more. */
export async function disksOf(layout: MachineLayout, box: Box | undefined): Promise<MachineDisks> {
  const measure = async (path: string) => ({ path, virtualSizeBytes: await readDiskSize(path) });
  const extraPaths = (box?.extraDisks ?? []).map((_, index) => layout.extraDiskPath(index + 1));
  return [await measure(layout.diskPath), ...(await Promise.all(extraPaths.map(measure)))];
}
