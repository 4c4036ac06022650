import { readdir, stat } from 'node:fs/promises';
import { systemErrorCode, unlessMissing } from './files.ts';

/** What stands at a path, links followed; undefined for nothing, and for what cannot be reached. */
export async function kindOfPath(path: string): Promise<'file' | 'folder' | undefined> {
  try {
    const stats = await stat(path);
    return stats.isDirectory() ? 'folder' : 'file';
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}

/** The names in a folder, sorted; none where it does not exist. */
export async function listNames(folder: string): Promise<string[]> {
  return ((await unlessMissing(readdir(folder))) ?? []).sort();
}
