import type { WantedChecksum } from '../../http/checksum.ts';
import type { Box } from '../box.ts';
import type { BoxStore } from '../store.ts';
import type { BoxCalling } from './import.ts';
import { fileIdentity, type ImportMemory } from './import-memory.ts';

export interface FileToImport {
  /** Absolute. */
  readonly path: string;
  readonly checksum: WantedChecksum | undefined;
  readonly called: BoxCalling | undefined;
}

/** Changes when another box would be made of the file. */
export async function identityOf({ path, checksum, called }: FileToImport): Promise<string> {
  return JSON.stringify([await fileIdentity(path), checksum, called]);
}

/** The box that was made of the file as it is now; undefined if there is none. */
export async function findKnownFile(
  file: FileToImport,
  { memory, store }: { readonly memory: ImportMemory; readonly store: BoxStore },
): Promise<Box | undefined> {
  const key = await memory.recall(file.path, await identityOf(file));
  return key !== undefined && (await store.has(key)) ? store.get(key) : undefined;
}
