import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Chunk } from '../../../src/boxes/oci/artifact.ts';
import { packChunk, unpackChunk } from '../../../src/boxes/oci/chunks.ts';
import { InterruptedError, MissingToolError, VmError } from '../../../src/errors.ts';
import { sha256 } from '../../../src/host/files.ts';

const { signal } = new AbortController();
const failureOf = (work: Promise<unknown>) => work.catch((error: unknown) => error);
const bytes = Buffer.concat([randomBytes(2 ** 20), Buffer.alloc(2 ** 20)]);

const blob = { mediaType: 'a/b', digest: '', size: 0 };
const chunk: Chunk = { file: 'disk.qcow2', offset: 64, length: bytes.length, sha256: sha256(bytes), blob };
const unpack = (packed: Buffer, changes: Partial<Chunk> = {}) =>
  unpackChunk(packed, { ...chunk, ...changes }, { shownAs: 'ghcr.io/app:1', signal });

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('packChunk', () => {
  test('gives what unpackChunk takes', async () => {
    const packed = await packChunk(bytes, signal);
    expect(packed.length).toBeLessThan(1.1 * 2 ** 20);
    expect((await unpack(packed)).equals(bytes)).toBe(true);
  });

  test('always gives the same, whatever is set for zstd', async () => {
    const packed = await packChunk(bytes, signal);
    vi.stubEnv('ZSTD_CLEVEL', '19');
    vi.stubEnv('ZSTD_NBTHREADS', '4');
    expect((await packChunk(bytes, signal)).equals(packed)).toBe(true);
  });

  test('needs zstd', async () => {
    vi.stubEnv('PATH', '/nonexistent');
    const error = await failureOf(packChunk(bytes, signal));
    expect(error).toBeInstanceOf(MissingToolError);
    expect(error).toMatchObject({ tool: 'zstd', hint: 'on Debian and Ubuntu: sudo apt install zstd' });
  });

  test('an interrupt', async () => {
    expect(await failureOf(packChunk(bytes, AbortSignal.abort()))).toBeInstanceOf(InterruptedError);
  });
});

describe('unpackChunk refuses', () => {
  test.each<[string, Partial<Chunk>]>([
    ['more than was said', { length: bytes.length - 1 }],
    ['less than was said', { length: bytes.length + 1 }],
    ['something else', { sha256: sha256('something else') }],
  ])('%s', async (_what, changes) => {
    const error = await failureOf(unpack(await packChunk(bytes, signal), changes));
    expect(error).toBeInstanceOf(VmError);
    expect(error).toMatchObject({
      message: 'disk.qcow2 of ghcr.io/app:1 is damaged: the chunk at 64 is not what the manifest says',
      hint: 'push the box again',
    });
  });

  test('what is not zstd', async () => {
    await expect(unpack(bytes)).rejects.toThrow('disk.qcow2 of ghcr.io/app:1 is truncated or damaged');
  });

  test('a bomb as soon as it is too large', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'vm-bomb-'));
    try {
      // It would go on for longer than a test may take.
      await writeFile(join(dir, 'zstd'), '#!/bin/sh\nhead -c 1000 /dev/zero; exec sleep 100\n');
      await chmod(join(dir, 'zstd'), 0o755);
      vi.stubEnv('PATH', `${dir}:${process.env.PATH}`);
      await expect(unpack(bytes, { length: 999 })).rejects.toThrow('is not what the manifest says');
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
