import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256, sha256OfFile } from './files.ts';

/**
 * Hex sha256 of what is in a file, or in a folder with all that is below it: names, contents, targets of links, and what
 * may be executed. Two that have it in common are the same to who reads them. Sockets and devices count by their names.
 * @throws a system error where something cannot be read; InterruptedError.
 */
export async function contentDigest(path: string, signal: AbortSignal): Promise<string> {
  return sha256(JSON.stringify(await describe(path, signal)));
}

async function describe(path: string, signal: AbortSignal): Promise<unknown> {
  const stats = await lstat(path);
  if (stats.isSymbolicLink()) return ['link', await readlink(path)];
  if (stats.isFile()) return ['file', (stats.mode & 0o111) !== 0, await sha256OfFile(path, signal)];
  if (!stats.isDirectory()) return ['other'];
  const entries: [string, unknown][] = [];
  for (const name of (await readdir(path)).sort()) entries.push([name, await describe(join(path, name), signal)]);
  return ['folder', entries];
}
