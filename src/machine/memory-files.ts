import { link, rm, unlink } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { readTextIfExists, syncToDisk, unlessMissing, writeFileAtomic } from '../host/files.ts';
import { stampOf } from './disk-stamp.ts';
import { isOverlayName } from './frozen-disk.ts';
import { MEMORY_FORMAT, type MemoryFacts, type MemoryFiles } from './memory.ts';

/** What is kept in the files; undefined where there is no memory, or one that another version of vm has saved. */
export async function readMemoryFacts({ factsPath }: MemoryFiles): Promise<MemoryFacts | undefined> {
  const text = await readTextIfExists(factsPath);
  if (text === undefined) return undefined;
  try {
    const facts = JSON.parse(text) as MemoryFacts; // what we wrote, as its format number tells
    return facts.format === MEMORY_FORMAT ? facts : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Makes the memory in the files exist. The state file is whole, and on the disk. */
export async function writeMemoryFacts({ factsPath }: MemoryFiles, facts: MemoryFacts): Promise<void> {
  await writeFileAtomic(factsPath, `${JSON.stringify(facts, undefined, 2)}\n`);
  await syncToDisk(dirname(factsPath));
}

/** Where the state is written until it is whole. */
export function unfinishedPath({ statePath }: MemoryFiles): string {
  return `${statePath}.new`;
}

/** From here on there is no memory to go on from; what it was takes space until `removeMemory`. Repeatable. */
export async function forgetMemory({ factsPath }: MemoryFiles): Promise<void> {
  const wasThere = await unlessMissing(unlink(factsPath).then(() => true));
  // A host that crashes must not find it again beside disks that have changed since.
  if (wasThere) await syncToDisk(dirname(factsPath));
}

/** Removes a memory, and what a killed save has left of one. Repeatable. */
export async function removeMemory(files: MemoryFiles): Promise<void> {
  await forgetMemory(files);
  for (const path of [files.statePath, unfinishedPath(files)]) await rm(path, { force: true });
}

/**
 * Makes a machine one that goes on from a memory which was saved with disks that its own, in `diskPaths`, are empty overlays
 * of. Gives whether there is one in `kept`, which stays as it is. Repeatable until the machine is let go on.
 */
export async function adoptMemory(
  kept: MemoryFiles,
  files: MemoryFiles,
  diskPaths: readonly string[],
): Promise<boolean> {
  const facts = await readMemoryFacts(kept);
  if (facts === undefined) return false;
  await removeMemory(files);
  await unlessMissing(link(kept.statePath, files.statePath));
  const placeOf = (path: string) => diskPaths.find((disk) => path === disk || isOverlayOf(path, disk)) ?? path;
  const stamps = await Promise.all([...new Set(facts.disks.map(({ path }) => placeOf(path)))].map(stampOf));
  await writeMemoryFacts(files, { ...facts, disks: stamps.filter((stamp) => stamp !== undefined) });
  return true;
}

function isOverlayOf(path: string, diskPath: string): boolean {
  return dirname(path) === dirname(diskPath) && isOverlayName(basename(path), diskPath);
}
