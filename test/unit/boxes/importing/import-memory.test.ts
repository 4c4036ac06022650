import { copyFile, mkdtemp, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fileIdentity, ImportMemory } from '../../../../src/boxes/importing/import-memory.ts';

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vm-imports-'));
});

afterEach(() => rm(dir, { recursive: true }));

describe('memory', () => {
  test('what was remembered is recalled for the same identity only', async () => {
    const memory = new ImportMemory(join(dir, 'a/imports'));
    expect(await memory.recall('/srv/b', 'size 1')).toBeUndefined();
    await memory.remember('/srv/b', 'size 1', 'k1');
    expect(await memory.recall('/srv/b', 'size 1')).toBe('k1');
    expect(await memory.recall('/srv/b', 'size 2')).toBeUndefined();
    expect(await memory.recall('/srv/c', 'size 1')).toBeUndefined();
    expect(await new ImportMemory(join(dir, 'a/imports')).recall('/srv/b', 'size 1')).toBe('k1');
  });

  test('the last counts, and takes no more room', async () => {
    const memory = new ImportMemory(dir);
    await memory.remember('https://x.example/../b', 'size 1', 'k1');
    await memory.remember('https://x.example/../b', 'size 2', 'k2');
    expect(await memory.recall('https://x.example/../b', 'size 1')).toBeUndefined();
    expect(await memory.recall('https://x.example/../b', 'size 2')).toBe('k2');
    expect(await readdir(dir)).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.json$/)]);
  });
});

describe('the identity of a file', () => {
  const at = (name: string) => join(dir, name);

  beforeEach(() => writeFile(at('disk'), 'content'));

  test('stays while nothing changes', async () => {
    expect(await fileIdentity(at('disk'))).toBe(await fileIdentity(at('disk')));
  });

  test.each<[string, () => Promise<unknown>]>([
    ['it is longer', () => writeFile(at('disk'), 'content!')],
    ['it was written later', () => utimes(at('disk'), 0, 1)],
    [
      'another one with the same size and time is in its place',
      async () => {
        const { atime, mtime } = await stat(at('disk'));
        await copyFile(at('disk'), at('copy'));
        await utimes(at('copy'), atime, mtime);
        await rename(at('copy'), at('disk'));
      },
    ],
  ])('is another one when %s', async (_what, change) => {
    await utimes(at('disk'), 0, 0);
    const before = await fileIdentity(at('disk'));
    await change();
    expect(await fileIdentity(at('disk'))).not.toBe(before);
  });
});
