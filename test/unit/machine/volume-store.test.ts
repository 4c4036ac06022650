import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StateStore } from '../../../src/machine/state-store.ts';
import { VOLUME_FORMAT } from '../../../src/machine/volume.ts';
import type { VolumeStore } from '../../../src/machine/volume-store.ts';

const SIZE_BYTES = 2 ** 20;

const record = {
  format: VOLUME_FORMAT,
  name: 'data',
  uuid: '11111111-2222-4333-8444-555555555555',
  label: 'vm-data',
  createdAt: '2026-01-31T12:00:00.000Z',
  sizeBytes: SIZE_BYTES,
} as const;

/** As much of an ext4 file system as is looked at: 256 blocks of 4 KiB. */
async function format(path: string, label = 'vm-data'): Promise<void> {
  const disk = Buffer.alloc(SIZE_BYTES);
  disk.writeUInt32LE(256, 1024 + 0x4);
  disk.writeUInt32LE(2, 1024 + 0x18);
  disk.writeUInt16LE(0xef53, 1024 + 0x38);
  disk.write(label, 1024 + 0x78);
  await writeFile(path, disk);
}

let projectDir: string;
let volumes: VolumeStore;

beforeEach(async () => {
  projectDir = await mkdtemp(join(tmpdir(), 'vm-unit-'));
  volumes = new StateStore(projectDir).volumes;
});

afterEach(() => rm(projectDir, { recursive: true }));

const filesOf = async (path: string) => (await readdir(join(projectDir, '.vm', path))).sort();

test('a volume is there when it is whole', async () => {
  await volumes.create(record, async (path) => {
    expect(await volumes.list()).toEqual([]);
    await format(path);
  });
  expect(await volumes.list()).toEqual(['data']);
  expect(await volumes.read('data')).toMatchObject({
    kind: 'whole',
    record,
    sizeBytes: SIZE_BYTES,
    filesystemBytes: SIZE_BYTES,
  });
  expect(await filesOf('volumes/data')).toEqual(['volume.json', 'volume.raw']);
});

test('one that cannot be made leaves nothing', async () => {
  const failing = volumes.create(record, async (path) => {
    await format(path);
    throw new Error('the disk is full');
  });
  await expect(failing).rejects.toThrow('the disk is full');
  expect(await filesOf('volumes')).toEqual([]);
});

test('what a killed process left is no volume, and in nobody’s way', async () => {
  void volumes.create(record, () => new Promise(() => {}));
  await expect.poll(() => volumes.listLeftovers()).toEqual(['data']);
  expect(await volumes.list()).toEqual([]);
  expect(await volumes.read('data')).toBeUndefined();
  await volumes.create({ ...record, uuid: '22222222-2222-4333-8444-555555555555' }, format);
  expect(await filesOf('volumes')).toEqual(['data']);
});

test('the state folder stays as long as there is a volume', async () => {
  const states = new StateStore(projectDir);
  await volumes.create(record, format);
  await states.removeIfEmpty();
  expect(await filesOf('volumes')).toEqual(['data']);
  await volumes.remove('data');
  await states.removeIfEmpty();
  expect(await readdir(projectDir)).toEqual([]);
});

describe('a volume is damaged', () => {
  test.each<[what: string, damage: (volumeDir: string) => Promise<unknown>, reason: string]>([
    ['without its disk', (dir) => rm(join(dir, 'volume.raw')), 'volume.raw is gone'],
    ['without its record', (dir) => rm(join(dir, 'volume.json')), 'volume.json is gone'],
    ['cut off', (dir) => truncate(join(dir, 'volume.raw'), 4096), `volume.raw was cut off: it had ${SIZE_BYTES} bytes`],
    [
      'wiped',
      (dir) => writeFile(join(dir, 'volume.raw'), Buffer.alloc(SIZE_BYTES)),
      'has no ext4 file system any more',
    ],
    ['with another label', (dir) => format(join(dir, 'volume.raw'), 'x'), 'has the label “x”, not “vm-data”'],
    ['with half a record', (dir) => writeFile(join(dir, 'volume.json'), '{'), 'is not what this version of vm writes'],
    [
      'with the record of a later version',
      (dir) => writeFile(join(dir, 'volume.json'), JSON.stringify({ ...record, format: 2 })),
      'is not what this version of vm writes',
    ],
  ])('%s', async (_what, damage, reason) => {
    await volumes.create(record, format);
    await damage(join(projectDir, '.vm/volumes/data'));
    expect(await volumes.read('data')).toEqual({ kind: 'damaged', reason: expect.stringContaining(reason) });
  });
});
