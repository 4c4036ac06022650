import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Chunk } from '../../../../src/boxes/oci/artifact.ts';
import { openChunkCache, writeChunkIndex } from '../../../../src/boxes/oci/chunk-cache.ts';
import { ChunkProgress } from '../../../../src/boxes/oci/chunk-progress.ts';
import { isAllZero, readChunks } from '../../../../src/boxes/oci/chunks.ts';
import { PartialFiles } from '../../../../src/boxes/oci/partial-files.ts';
import { InterruptedError, VmError } from '../../../../src/errors.ts';
import { sha256 } from '../../../../src/host/files.ts';
import { sampleManifest } from './sample-box.ts';

const MIB = 2 ** 20;
const { signal } = new AbortController();

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vm-chunks-'));
});

afterEach(() => rm(dir, { recursive: true }));

const diskPath = () => join(dir, 'disk.qcow2');

/** Where some bytes are in a disk. */
function chunkOf(text: string, offset: number): Chunk {
  return { file: 'disk.qcow2', offset, length: text.length, sha256: sha256(text), blob: sampleManifest.config };
}

describe('isAllZero', () => {
  test.each([
    [[], true],
    [[0], true],
    [[0, 0, 0], true],
    [[1], false],
    [[1, 1], false],
    [[0, 0, 1], false],
    [[1, 0, 0], false],
  ])('%j', (bytes, expected) => {
    expect(isAllZero(Buffer.from(bytes))).toBe(expected);
  });
});

describe('readChunks', () => {
  async function read(path: string) {
    const read: [number, number][] = [];
    for await (const { offset, bytes } of readChunks(path, signal)) read.push([offset, bytes.length]);
    return read;
  }

  test.each([
    [0, []],
    [5, [[0, 5]]],
    [32 * MIB, [[0, 32 * MIB]]],
    [
      32 * MIB + 1,
      [
        [0, 32 * MIB],
        [32 * MIB, 1],
      ],
    ],
  ])('a file of %i bytes', async (size, expected) => {
    await writeFile(diskPath(), '');
    await truncate(diskPath(), size);
    expect(await read(diskPath())).toEqual(expected);
  });

  test('a file that becomes smaller is an error, not a smaller box', async () => {
    await writeFile(diskPath(), '');
    await truncate(diskPath(), 33 * MIB);
    const chunks = readChunks(diskPath(), signal);
    await chunks.next();
    await truncate(diskPath(), 32 * MIB);
    await expect(chunks.next()).rejects.toThrow('became smaller while it was read');
  });

  test('an interrupt', async () => {
    await writeFile(diskPath(), 'x');
    await expect(readChunks(diskPath(), AbortSignal.abort()).next()).rejects.toBeInstanceOf(InterruptedError);
  });
});

describe('openChunkCache', () => {
  beforeEach(async () => {
    await writeFile(diskPath(), 'one two three');
    await writeChunkIndex(dir, [chunkOf('one', 0), chunkOf('three', 8)]);
  });

  const find = async (text: string) => (await openChunkCache(['/nonexistent', dir])).find(sha256(text));

  test('finds the chunks of a box in its files', async () => {
    expect(await find('three')).toEqual(Buffer.from('three'));
    expect(await find('two')).toBeUndefined();
  });

  test('trusts no file that has changed', async () => {
    await writeFile(diskPath(), 'one two THREE');
    expect(await find('three')).toBeUndefined();
    expect(await find('one')).toEqual(Buffer.from('one'));
  });

  test.each([
    ['a file that is gone', () => rm(diskPath())],
    ['a file that is too short', () => truncate(diskPath(), 9)],
    ['an index of another format', () => writeFile(join(dir, 'chunks.json'), '{"format":2,"chunks":[{}]}')],
  ])('finds nothing in %s', async (_what, change) => {
    await change();
    expect(await find('three')).toBeUndefined();
  });
});

describe('PartialFiles', () => {
  const facts = { name: 'disk.qcow2', bytes: 13, sha256: sha256('one\0two\0three'), chunks: 3 } as const;

  async function write(...texts: readonly string[]): Promise<readonly boolean[]> {
    await using files = await PartialFiles.open(dir, [facts]);
    const chunks = texts.map((text) => [chunkOf(text, 'one\0two\0three'.indexOf(text)), text] as const);
    const had: boolean[] = [];
    for (const [chunk, text] of chunks) {
      had.push(await files.has(chunk));
      await files.write(chunk, Buffer.from(text));
    }
    await files.verify('ghcr.io/app:1', signal);
    return had;
  }

  test('takes the chunks in any order, into a private file', async () => {
    expect(await write('three', 'one', 'two')).toEqual([false, false, false]);
    expect(await readFile(diskPath(), 'latin1')).toBe('one\0two\0three');
    expect((await stat(diskPath())).mode & 0o777).toBe(0o600);
  });

  test('takes up what was there', async () => {
    await writeFile(diskPath(), 'one\0TWO');
    expect(await write('one', 'two', 'three')).toEqual([true, false, false]);
  });

  test('a file that is wrong is removed', async () => {
    const error = await write('one', 'three').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(VmError);
    expect(error).toMatchObject({
      message: 'disk.qcow2 of ghcr.io/app:1 is damaged: it is not what its description says',
      hint: 'push the box again',
    });
    expect(await readdir(dir)).toEqual([]);
  });
});

test('ChunkProgress tells how far it is', () => {
  const texts: string[] = [];
  const report = (event: { readonly type: string; readonly subject?: string; readonly text?: string }) => {
    texts.push(`${event.type} ${event.subject}: ${event.text}`);
  };
  const context = { reporter: { report }, signal };
  const progress = new ChunkProgress({ context, subject: 'app' }, { chunks: 40, bytes: 1.2 * 2 ** 30 }, 'there');
  progress.add(32 * MIB, false);
  progress.add(280 * MIB, true);
  expect(texts).toEqual([
    'progress app: chunk 1 of 40, 32 MiB of 1.2 GiB',
    'progress app: chunk 2 of 40, 312 MiB of 1.2 GiB, 1 already there',
  ]);
});
