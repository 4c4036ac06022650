import { open } from 'node:fs/promises';
import { StateError } from '../../errors.ts';
import { asWriteError } from '../../host/files.ts';
import { parseQcow2Header } from './qcow2-header.ts';

/** As far as sizes go; the names in a header lie behind it. */
const HEADER_BYTES = 512;

/** The virtual size of a machine's own disk, in bytes. @throws StateError if it is not qcow2 any more. */
export async function readDiskSize(diskPath: string): Promise<number> {
  const file = await open(diskPath, 'r').catch((error: unknown) => {
    throw asWriteError(diskPath, error);
  });
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    const header = parseQcow2Header(buffer.subarray(0, bytesRead));
    if (header !== undefined) return header.virtualSizeBytes;
    throw new StateError(`${diskPath} is not a qcow2 disk any more`, {
      hint: 'restore it from a copy, or destroy the machine',
    });
  } finally {
    await file.close();
  }
}
