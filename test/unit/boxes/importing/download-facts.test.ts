import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hasChanged, hasChecksum, rememberDownload } from '../../../../src/boxes/importing/download-facts.ts';
import { ImportMemory } from '../../../../src/boxes/importing/import-memory.ts';
import type { HttpClient } from '../../../../src/http/http-client.ts';

const sha256 = '0a'.repeat(32);
const [sha512, other512] = ['0b'.repeat(64), '0c'.repeat(64)] as const;
const url = 'https://x.example/disk.raw?token=s3cret';
const NOTHING = { verified: undefined, validator: undefined };

let dir: string;
let memory: ImportMemory;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vm-facts-'));
  memory = new ImportMemory(dir);
});

afterEach(() => rm(dir, { recursive: true }));

describe('a checksum', () => {
  test('of SHA-256 is known without a download', async () => {
    expect(await hasChecksum(sha256, { algorithm: 'sha256', hex: sha256 }, memory)).toBe(true);
    expect(await hasChecksum(sha256, { algorithm: 'sha256', hex: sha256.replace('0a', '0b') }, memory)).toBe(false);
  });

  test('of another algorithm is known once the file was verified with it', async () => {
    const verified = { algorithm: 'sha512', hex: sha512 } as const;
    expect(await hasChecksum(sha256, verified, memory)).toBeUndefined();
    await rememberDownload({ url, sha256, verified, validator: undefined }, memory);
    expect(await hasChecksum(sha256, verified, memory)).toBe(true);
    expect(await hasChecksum(sha256, { algorithm: 'sha512', hex: other512 }, memory)).toBe(false);
    expect(await hasChecksum(sha256, { algorithm: 'sha384', hex: sha512.slice(32) }, memory)).toBeUndefined();
    expect(await hasChecksum(sha256.replace('0a', '0b'), verified, memory)).toBeUndefined();
  });
});

describe('whether a file on a server has changed', () => {
  const methods: (string | undefined)[] = [];

  const ask = (headers: Readonly<Record<string, string>>, { status = 200, sha = sha256 } = {}) => {
    const client: HttpClient = {
      async request({ method }) {
        methods.push(method);
        return { status, headers, body: Readable.from([]), discard: async () => {} };
      },
      [Symbol.asyncDispose]: async () => {},
    };
    return hasChanged({ url, sha256: sha }, { client, signal: new AbortController().signal, memory });
  };

  beforeEach(() => {
    methods.length = 0;
  });

  test('is told by its ETag, without the file', async () => {
    await rememberDownload({ ...NOTHING, url, sha256, validator: { header: 'etag', value: '"1"' } }, memory);
    expect(await ask({ etag: '"1"', 'last-modified': 'Sun, 22 Nov 2026 00:00:00 GMT' })).toBe(false);
    expect(await ask({ etag: '"2"' })).toBe(true);
    expect(methods).toEqual(['HEAD', 'HEAD']);
  });

  test('is told by its date', async () => {
    const value = 'Sun, 22 Nov 2026 00:00:00 GMT';
    await rememberDownload({ ...NOTHING, url, sha256, validator: { header: 'last-modified', value } }, memory);
    expect(await ask({ 'last-modified': value })).toBe(false);
    expect(await ask({ 'last-modified': 'Mon, 23 Nov 2026 00:00:00 GMT' })).toBe(true);
  });

  test('is not told by something else than before, nor by nothing, nor by an error', async () => {
    await rememberDownload({ ...NOTHING, url, sha256, validator: { header: 'etag', value: '"1"' } }, memory);
    expect(await ask({ 'last-modified': 'Sun, 22 Nov 2026 00:00:00 GMT' })).toBeUndefined();
    expect(await ask({ etag: 'W/"1"' })).toBeUndefined();
    expect(await ask({})).toBeUndefined();
    expect(await ask({ etag: '"2"' }, { status: 405 })).toBeUndefined();
  });

  test('is not even asked of a file that is not known to be from there', async () => {
    expect(await ask({ etag: '"1"' })).toBeUndefined();
    await rememberDownload({ ...NOTHING, url, sha256, validator: { header: 'etag', value: '"1"' } }, memory);
    expect(await ask({ etag: '"1"' }, { sha: sha256.replace('0a', '0b') })).toBeUndefined();
    expect(methods).toEqual([]);
  });
});
