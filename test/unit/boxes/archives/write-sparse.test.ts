import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { SparseChunk } from '../../../../src/boxes/archives/sparse-map.ts';
import { copySparse, writeSparse } from '../../../../src/boxes/archives/write-sparse.ts';
import { InterruptedError, VmError } from '../../../../src/errors.ts';
import { streamOf } from './make-tar.ts';

const KIB = 1024;
const { signal } = new AbortController();

let dir: string;
let path: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vm-sparse-'));
  path = join(dir, 'disk');
});

afterEach(() => rm(dir, { recursive: true }));

async function* chunks(
  ...parts: readonly (readonly [offset: number, bytes: Uint8Array])[]
): AsyncGenerator<SparseChunk> {
  for (const [offset, bytes] of parts) yield { offset, bytes };
}

/** What the file takes on the disk, in KiB: stat(2), st_blocks. */
async function allocatedKib(): Promise<number> {
  return (await stat(path)).blocks / 2;
}

describe('writeSparse', () => {
  test('puts each chunk at its offset, with zeros between, in a private file of the size that was said', async () => {
    await writeSparse(path, chunks([3, Buffer.from('abc')], [10, Buffer.from('de')]), { sizeBytes: 15, signal });
    expect(await readFile(path, 'latin1')).toBe('\0\0\0abc\0\0\0\0de\0\0\0');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('makes holes where there are no chunks, at the end too', async () => {
    await writeSparse(path, chunks([2 ** 30, Buffer.from('abc')]), { sizeBytes: 2 ** 40, signal });
    expect((await stat(path)).size).toBe(2 ** 40);
    expect(await allocatedKib()).toBeLessThanOrEqual(64);
  });

  test('an empty file', async () => {
    await writeSparse(path, chunks(), { sizeBytes: 0, signal });
    expect((await stat(path)).size).toBe(0);
  });

  test('touches no file that is there', async () => {
    await writeFile(path, 'mine');
    await expect(writeSparse(path, chunks(), { sizeBytes: 0, signal })).rejects.toThrow('EEXIST');
    expect(await readFile(path, 'utf8')).toBe('mine');
  });

  test('leaves nothing when the chunks fail', async () => {
    async function* failing(): AsyncGenerator<SparseChunk> {
      yield { offset: 0, bytes: Buffer.from('abc') };
      throw new VmError('the.box is truncated');
    }
    await expect(writeSparse(path, failing(), { sizeBytes: 5, signal })).rejects.toThrow('the.box is truncated');
    expect(await readdir(dir)).toEqual([]);
  });

  test('stops at an interrupt, and leaves nothing', async () => {
    const controller = new AbortController();
    async function* interrupted(): AsyncGenerator<SparseChunk> {
      yield { offset: 0, bytes: Buffer.from('abc') };
      controller.abort();
      yield { offset: 3, bytes: Buffer.from('def') };
    }
    const writing = writeSparse(path, interrupted(), { sizeBytes: 6, signal: controller.signal });
    await expect(writing).rejects.toBeInstanceOf(InterruptedError);
    expect(await readdir(dir)).toEqual([]);
  });
});

describe('copySparse', () => {
  test.each([64 * KIB, 5000, 1, 2 ** 20])(
    'gives the same bytes, in pieces of %d, and tells how many',
    async (pieceBytes) => {
      const bytes = Buffer.alloc(pieceBytes === 1 ? 300 : 300 * KIB + 7);
      for (const offset of [0, 5, 100, 70 * KIB, 128 * KIB - 1, 200 * KIB])
        if (offset < bytes.length) bytes[offset] = 1;
      expect(await copySparse(streamOf(bytes, pieceBytes), path, { signal })).toBe(bytes.length);
      expect(bytes.equals(await readFile(path))).toBe(true);
    },
  );

  test('makes holes of blocks of zeros, wherever the pieces are cut', async () => {
    const bytes = Buffer.alloc(2 ** 20);
    bytes.fill(1, 256 * KIB, 320 * KIB);
    bytes[bytes.length - 1] = 1;
    for (const pieceBytes of [2 ** 20, 100_000]) {
      await copySparse(streamOf(bytes, pieceBytes), path, { signal });
      expect(bytes.equals(await readFile(path))).toBe(true);
      expect(await allocatedKib()).toBeLessThanOrEqual(128 + 4);
      await rm(path);
    }
  });

  test('zeros to the end count', async () => {
    expect(await copySparse(streamOf(Buffer.alloc(200 * KIB)), path, { signal })).toBe(200 * KIB);
    expect((await stat(path)).size).toBe(200 * KIB);
    expect(await allocatedKib()).toBe(0);
  });
});
