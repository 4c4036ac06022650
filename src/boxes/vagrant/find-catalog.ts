import { open } from 'node:fs/promises';
import { CATALOG_MAX_BYTES, parseCatalog, type VagrantCatalog } from './catalog.ts';

/** Enough to see what is behind white space; no image is read whole for it, at every `up`. */
const HEAD_BYTES = 1024;

/** The catalog in a file; undefined for what is no JSON: then it is taken for a box. @throws VmError if it is malformed. */
export async function findCatalog(path: string, shownAs: string): Promise<VagrantCatalog | undefined> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size > CATALOG_MAX_BYTES) return undefined;
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    if (!buffer.toString('latin1', 0, bytesRead).trimStart().startsWith('{')) return undefined;
    // From where the file is read next: at a place that was given, reading does not move it.
    return parseCatalog(await file.readFile('utf8'), shownAs);
  } finally {
    await file.close();
  }
}
