import { stat } from 'node:fs/promises';
import { unlessMissing } from '../host/files.ts';
import type { DiskStamp } from './memory.ts';

/** Of a file; undefined where it is gone. */
export async function stampOf(path: string): Promise<DiskStamp | undefined> {
  const found = await unlessMissing(stat(path, { bigint: true }));
  return found && { path, bytes: Number(found.size), modifiedNs: String(found.mtimeNs) };
}
