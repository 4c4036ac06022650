import { join } from 'node:path';
import type { Box } from '../../boxes/box.ts';
import type { ConversionTools } from '../../boxes/formats/convert.ts';
import { createOverlay, standOn } from '../../boxes/packaging/flatten.ts';
import type { MachineDisks } from './machine-disks.ts';

/** Makes disks that stand on others, a machine's, layers or snapshots, stand directly on those of the box. */
export async function standOnBox(disks: MachineDisks, box: Box, tools: ConversionTools): Promise<void> {
  for (const [disk, basePath] of withBases(disks, box)) await standOn(disk, basePath, tools);
}

/** Such disks as new files in `dir`; the machine's own stay as they are. */
export async function overlaysOnBox(
  disks: MachineDisks,
  box: Box,
  { dir, tools }: { readonly dir: string; readonly tools: ConversionTools },
): Promise<MachineDisks> {
  const [root, ...others] = disks;
  const copy = async (disk: MachineDisks[number], index: number) => {
    const path = join(dir, `overlay-${index}.qcow2`);
    await createOverlay(disk, path, tools.context.signal);
    return { ...disk, path };
  };
  const copies = [await copy(root, 0), ...(await Promise.all(others.map((disk, i) => copy(disk, i + 1))))] as const;
  await standOnBox(copies, box, tools);
  return copies;
}

function withBases(disks: MachineDisks, { diskPath, extraDisks }: Box): [MachineDisks[number], string][] {
  const bases = [diskPath, ...extraDisks.map(({ path }) => path)];
  return disks.flatMap((disk, index) => {
    const base = bases[index];
    return base === undefined ? [] : [[disk, base]];
  });
}
