import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StateError } from '../../../src/errors.ts';
import { lockKey, readLockfile, writeLockfile } from '../../../src/machinefile/lockfile.ts';
import { parseConstraint } from '../../../src/machinefile/versions.ts';

const PLAIN = { version: undefined, checksum: undefined };
const SHA256 = 'ab'.repeat(32);

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vm-lock-'));
});

afterEach(() => rm(dir, { recursive: true }));

test('boxes are locked under what the Machinefile asks for', () => {
  const url = 'https://me:secret@x.example/b.qcow2';
  expect(lockKey({ kind: 'name', name: 'debian/12', version: undefined }, '/p')).toBe('debian/12');
  expect(lockKey({ kind: 'name', name: 'app', version: parseConstraint('~> 1.2') }, '/p')).toBe('app@~> 1.2');
  expect(lockKey({ kind: 'oci', reference: 'x.example/a:1', version: undefined }, '/p')).toBe('oci://x.example/a:1');
  expect(lockKey({ kind: 'url', url, ...PLAIN }, '/p')).toBe('https://x.example/b.qcow2');
});

test('a path is relative to the project, and no name', () => {
  expect(lockKey({ kind: 'path', path: '/p/debian/12', ...PLAIN }, '/p')).toBe('./debian/12');
  expect(lockKey({ kind: 'path', path: '/images/b', ...PLAIN }, '/p')).toBe('../images/b');
});

test('addresses that differ in their query are two boxes, and the query is not told', () => {
  const keys = ['a', 'b'].map((token) =>
    lockKey({ kind: 'url', url: `https://x.example/d?t=${token}`, ...PLAIN }, '/p'),
  );
  expect(keys[0]).toMatch(/^https:\/\/x\.example\/d\?[0-9a-f]{8}$/);
  expect(keys[0]).not.toBe(keys[1]);
});

test('what was written is read', async () => {
  const boxes = new Map([
    ['tiny', { version: '1.10', source: 'built from the recipe tiny', sha256: SHA256 }],
    ['./b: "x"', { version: 'abc', source: 'imported', sha256: SHA256 }],
  ]);
  await writeLockfile(dir, boxes);
  expect(await readLockfile(dir)).toEqual(new Map([...boxes].reverse()));
  expect(await readFile(join(dir, 'Machinefile.lock'), 'utf8')).toContain('vm box update');
});

test('without a lockfile nothing is locked', async () => {
  expect(await readLockfile(dir)).toEqual(new Map());
});

test.each([
  ['x: [', 'is not YAML'],
  ['- tiny', 'is not a lockfile of format 1'],
  ['lockfile: 2\nboxes: {}', 'is not a lockfile of format 1'],
  ['lockfile: 1\nboxes: { tiny: { version: "1" } }', 'has no version, source and sha256 for tiny'],
  ['lockfile: 1\nboxes: { tiny: { version: "1", source: s, sha256: 12 } }', 'has no version, source and sha256'],
])('%j cannot be used', async (text, problem) => {
  await writeFile(join(dir, 'Machinefile.lock'), text);
  const error: unknown = await readLockfile(dir).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(StateError);
  expect(String(error)).toContain(`Machinefile.lock ${problem}`);
});
