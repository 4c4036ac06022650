import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { BoxDescription } from '../../../src/boxes/box-file.ts';
import { BoxStore } from '../../../src/boxes/store.ts';
import { StateError } from '../../../src/errors.ts';
import { parseConstraint } from '../../../src/machinefile/versions.ts';

const FILES = ['disk.qcow2', 'disk-1.qcow2', 'disk-2.qcow2', 'vmlinuz', 'vmlinux', 'initrd.img'];

let homeDir: string;
let store: BoxStore;

beforeEach(async () => {
  homeDir = await mkdtemp(join(tmpdir(), 'vm-store-'));
  store = new BoxStore(homeDir);
});

afterEach(() => rm(homeDir, { recursive: true }));

const boxesDir = () => join(homeDir, 'boxes');

function description(changes: Partial<BoxDescription> = {}): BoxDescription {
  return {
    key: 'a1',
    fingerprint: 'f1',
    name: 'tiny',
    version: '1.0.0',
    arch: 'x86_64',
    seed: 'machinefile',
    user: 'root',
    virtualSizeBytes: 2 ** 30,
    commandLine: 'root=/dev/vda',
    source: 'built from /boxes/tiny',
    builtWith: { mmdebstrap: '1.3.5' },
    createdAt: '2026-01-01T00:00:00.000Z',
    ...changes,
  };
}

async function addBox(changes: Partial<BoxDescription> = {}) {
  await using staging = await store.stage();
  for (const name of FILES) await writeFile(join(staging.dir, name), `content of ${name}`);
  return await store.commit(staging, description(changes));
}

test('a committed box is found by name, version, key and fingerprint', async () => {
  const box = await addBox();
  expect(box).toMatchObject({ key: 'a1', name: 'tiny', user: 'root', seed: 'machinefile' });
  expect(box.kernel).toEqual({
    kernelPath: join(boxesDir(), 'a1', 'vmlinuz'),
    uncompressedKernelPath: join(boxesDir(), 'a1', 'vmlinux'),
    initrdPath: join(boxesDir(), 'a1', 'initrd.img'),
    commandLine: 'root=/dev/vda',
  });
  expect(await store.find('tiny')).toEqual(box);
  expect(await store.find('tiny', parseConstraint('~> 1.0'))).toEqual(box);
  expect(await store.find('tiny', parseConstraint('2.0.0'))).toBeUndefined();
  expect(await store.find('other')).toBeUndefined();
  expect(await store.get('a1')).toEqual(box);
  expect(await store.findMadeFrom('f1')).toEqual(box);
  expect(await store.findMadeFrom('f2')).toBeUndefined();
});

test('of several boxes with one name the newest is found', async () => {
  await addBox();
  await addBox({ key: 'a2', createdAt: '2026-02-01T00:00:00.000Z' });
  await addBox({ key: 'a0', createdAt: '2025-02-01T00:00:00.000Z' });
  expect((await store.find('tiny'))?.key).toBe('a2');
  expect((await store.findMadeFrom('f1'))?.key).toBe('a2');
  expect((await store.list()).map(({ box }) => box.key)).toEqual(['a2', 'a1', 'a0']);
});

test('of the same file under several names, a lockfile means the one it asks for', async () => {
  const file = { fingerprint: undefined, sha256: '0a', commandLine: undefined };
  await addBox({ ...file, key: 'a1', name: 'disk.raw' });
  await addBox({ ...file, key: 'a2', name: 'app', isNamed: true, createdAt: '2026-02-01T00:00:00.000Z' });
  await addBox({ ...file, key: 'a3', name: 'app', isNamed: true, createdAt: '2026-03-01T00:00:00.000Z' });
  const keyFor = async (name: string | undefined) => (await store.findByDigest('0a', name))?.key;
  expect(await Promise.all([keyFor(undefined), keyFor('app'), keyFor('disk.raw')])).toEqual(['a1', 'a3', undefined]);
  expect(await store.findByDigest('0b', 'app')).toBeUndefined();
});

test('an image without a kernel of its own boots from its disk', async () => {
  const box = await addBox({ commandLine: undefined, fingerprint: undefined });
  expect(box.kernel).toBeUndefined();
});

test('a box may have further disks: they are counted, and looked at before the box is used', async () => {
  await addBox();
  const box = await addBox({ key: 'a2', extraDisks: [{ virtualSizeBytes: 2 ** 20 }, { virtualSizeBytes: 512 }] });
  expect(box.extraDisks).toEqual([
    { path: join(boxesDir(), 'a2', 'disk-1.qcow2'), virtualSizeBytes: 2 ** 20 },
    { path: join(boxesDir(), 'a2', 'disk-2.qcow2'), virtualSizeBytes: 512 },
  ]);
  const sizes = new Map((await store.list()).map(({ box, sizeBytes }) => [box.key, sizeBytes]));
  expect(sizes.get('a2')).toBeGreaterThan(sizes.get('a1') ?? Infinity);
  await truncate(join(boxesDir(), 'a2', 'disk-2.qcow2'), 3);
  await expect(store.get('a2')).rejects.toThrow('the box tiny is damaged: disk-2.qcow2: 3 of 23 bytes');
});

test('only a box with further disks has the format that needs a newer vm', async () => {
  const formatOf = async (key: string): Promise<unknown> =>
    JSON.parse(await readFile(join(boxesDir(), key, 'box.json'), 'utf8')).format;
  await addBox();
  await addBox({ key: 'a2', extraDisks: [] });
  await addBox({ key: 'a3', extraDisks: [{ virtualSizeBytes: 512 }] });
  expect(await Promise.all(['a1', 'a2', 'a3'].map(formatOf))).toEqual([1, 1, 2]);
});

test.each([
  ['a truncated disk', (path: string) => truncate(path, 3), '3 of 21 bytes'],
  ['a missing disk', (path: string) => rm(path), 'it is gone'],
])('%s is noticed before the box is used, and named', async (_, damage, told) => {
  await addBox();
  await damage(join(boxesDir(), 'a1', 'disk.qcow2'));
  await expect(store.get('a1')).rejects.toThrow(`the box tiny is damaged: disk.qcow2: ${told}`);
  await expect(store.findMadeFrom('f1')).rejects.toBeInstanceOf(StateError);
  expect(await store.list()).toHaveLength(1);
});

test('a box is damaged where one that it stands on is, however far below', async () => {
  await addBox();
  await addBox({ key: 'a2', name: 'child', parentKey: 'a1' });
  const grandchild = await addBox({ key: 'a3', name: 'grandchild', parentKey: 'a2' });
  expect(await store.get('a3')).toEqual(grandchild);
  await truncate(join(boxesDir(), 'a1', 'disk.qcow2'), 3);
  await expect(store.get('a3')).rejects.toThrow('the box tiny is damaged: disk.qcow2: 3 of 21 bytes');
  await rm(join(boxesDir(), 'a1'), { recursive: true });
  await expect(store.get('a3')).rejects.toThrow(
    'the box child is damaged: disk.qcow2: the box a1 that it stands on is gone',
  );
  expect(await store.list()).toHaveLength(2);
});

test.each([
  [{}, 'vm box remove a1, or make another beside it: vm box build tiny --force'],
  [{ fingerprint: undefined }, 'vm box remove a1'],
  [{ parentKey: 'a0' }, 'vm box remove a1, and make it again'],
])('the way on from a damaged box: %j', async (changes, hint) => {
  await addBox({ key: 'a0', name: 'base' });
  await addBox(changes);
  await rm(join(boxesDir(), 'a1', 'disk.qcow2'));
  await expect(store.get('a1')).rejects.toMatchObject({ hint });
});

test('a folder that is given up leaves nothing', async () => {
  const failing = async () => {
    await using staging = await store.stage();
    await writeFile(join(staging.dir, 'disk.qcow2'), 'half');
    throw new Error('the builder failed');
  };
  await expect(failing()).rejects.toThrow('the builder failed');
  expect(await readdir(boxesDir())).toEqual([]);
});

test('what a killed process left is removed by the next command', async () => {
  const noProcess = `.making-${2 ** 22 + 1}.1-abcd`;
  await mkdir(join(boxesDir(), noProcess, 'build'), { recursive: true });
  await using staging = await store.stage();
  await store.list();
  expect(await readdir(boxesDir())).toEqual([staging.dir.slice(boxesDir().length + 1)]);
});

test('a removed box is gone; removing it again is no error', async () => {
  await addBox();
  await store.remove('a1');
  await store.remove('a1');
  expect(await store.list()).toEqual([]);
  await expect(store.get('a1')).rejects.toBeInstanceOf(StateError);
});

test('a box of a newer format is refused', async () => {
  await addBox();
  await writeFile(join(boxesDir(), 'a1', 'box.json'), '{"format": 99}');
  await expect(store.get('a1')).rejects.toThrow('has format 99');
});
