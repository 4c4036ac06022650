import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readTextIfExists, syncToDisk, unlessMissing, writeFileAtomic } from '../host/files.ts';
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

/** Forgets a memory, and what a killed save has left of one. From the first removal on there is none. Repeatable. */
export async function removeMemory(files: MemoryFiles): Promise<void> {
  const dir = dirname(files.factsPath);
  await rm(files.factsPath, { force: true });
  // A host that crashes must not find it again beside disks that have changed since.
  await unlessMissing(syncToDisk(dir));
  for (const path of [files.statePath, unfinishedPath(files)]) await rm(path, { force: true });
}
