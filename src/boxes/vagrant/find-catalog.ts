import { open } from 'node:fs/promises';
import { CATALOG_MAX_BYTES, parseCatalog, type VagrantCatalog } from './catalog.ts';

/** The catalog in a file; undefined for what is no JSON: then it is taken for a box. @throws VmError if it is malformed. */
export async function findCatalog(path: string, shownAs: string): Promise<VagrantCatalog | undefined> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size > CATALOG_MAX_BYTES) return undefined;
    const text = await file.readFile('utf8');
    return text.trimStart().startsWith('{') ? parseCatalog(text, shownAs) : undefined;
  } finally {
    await file.close();
  }
}
