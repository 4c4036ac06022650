import { type FileHandle, open, rm } from 'node:fs/promises';
import { InterruptedError } from '../../errors.ts';
import { asWriteError } from '../../host/files.ts';
import type { SparseChunk } from './sparse-map.ts';

/**
 * Writes a new file of `sizeBytes`, private to this user, with holes where there are no chunks and where a whole block
 * is zero. On failure no file is left.
 * @throws VmError if the disk does not take it, InterruptedError, and what `chunks` throws.
 */
export async function writeSparse(
  path: string,
  chunks: AsyncIterable<SparseChunk>,
  { sizeBytes, signal }: { readonly sizeBytes: number; readonly signal: AbortSignal },
): Promise<void> {
  await fillNewFile(path, async (write) => {
    for await (const chunk of chunks) {
      if (signal.aborted) throw new InterruptedError();
      await write(chunk);
    }
    return sizeBytes;
  });
}

export interface CopyOptions {
  readonly signal: AbortSignal;
  /** Called with each piece while it is being written. */
  readonly onBytes?: (bytes: Uint8Array) => void;
}

/**
 * Writes a stream to a new file as `writeSparse` does.
 * @returns the size of the file in bytes.
 */
export function copySparse(
  source: AsyncIterable<Uint8Array>,
  path: string,
  { signal, onBytes }: CopyOptions,
): Promise<number> {
  return fillNewFile(path, async (write) => {
    let offset = 0;
    for await (const bytes of source) {
      if (signal.aborted) throw new InterruptedError();
      const writing = write({ offset, bytes });
      onBytes?.(bytes);
      await writing;
      offset += bytes.length;
    }
    return offset;
  });
}

/** @param fill resolves with the size of the whole file. */
async function fillNewFile(
  path: string,
  fill: (write: (chunk: SparseChunk) => Promise<void>) => Promise<number>,
): Promise<number> {
  const fail = (error: unknown) => {
    throw asWriteError(path, error);
  };
  const file = await open(path, 'wx', 0o600).catch(fail);
  try {
    const sizeBytes = await fill((chunk) => writeData(file, chunk).catch(fail));
    await file.truncate(sizeBytes).catch(fail);
    return sizeBytes;
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
}

/** Zeros are looked for in blocks of this size, which begin at its multiples in the file. */
const BLOCK_BYTES = 64 * 1024;
const ZEROS = Buffer.alloc(BLOCK_BYTES);

async function writeData(file: FileHandle, { offset, bytes }: SparseChunk): Promise<void> {
  for (const { start, end } of findData(bytes, offset)) {
    for (let done = start; done < end; ) {
      // A disk that is nearly full takes a part first and refuses the next.
      const { bytesWritten } = await file.write(bytes, done, end - done, offset + done);
      done += bytesWritten;
    }
  }
}

/** Where in `bytes`, which belong at `offset` of the file, there are blocks that are not all zero; neighbours are one. */
function* findData(bytes: Uint8Array, offset: number): Generator<{ readonly start: number; readonly end: number }> {
  let start = 0;
  for (let block = 0, end: number; block < bytes.length; block = end) {
    end = Math.min(bytes.length, block + BLOCK_BYTES - ((offset + block) % BLOCK_BYTES));
    const isZero = ZEROS.compare(bytes, block, end, 0, end - block) === 0;
    if (!isZero) continue;
    if (start < block) yield { start, end: block };
    start = end;
  }
  if (start < bytes.length) yield { start, end: bytes.length };
}
