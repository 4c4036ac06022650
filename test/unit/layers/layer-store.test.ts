import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BoxStore } from '../../../src/boxes/store.ts';
import { InterruptedError, StateError } from '../../../src/errors.ts';
import type { Layer } from '../../../src/layers/layer.ts';
import { LayerStore } from '../../../src/layers/layer-store.ts';
import { addLayer, keyOf, layerFacts } from '../../support/layers.ts';

const { signal } = new AbortController();
/** No process has it. */
const DEAD_MAKER = `${2 ** 22 + 1}.1-abcd`;

let homeDir: string;
let store: LayerStore;

beforeEach(async () => {
  homeDir = await mkdtemp(join(tmpdir(), 'vm-layers-'));
  store = new LayerStore(homeDir);
  await addBox('b1');
});

afterEach(() => rm(homeDir, { recursive: true }));

const layersDir = () => join(homeDir, 'layers');

async function addBox(key: string): Promise<void> {
  const boxes = new BoxStore(homeDir);
  await using staging = await boxes.stage();
  await writeFile(join(staging.dir, 'disk.qcow2'), 'content of the box');
  await boxes.commit(staging, {
    key,
    fingerprint: 'f1',
    name: 'tiny',
    version: '1',
    arch: 'x86_64',
    seed: 'machinefile',
    user: 'root',
    virtualSizeBytes: 2 ** 30,
    commandLine: undefined,
    source: 'made by a test',
    builtWith: {},
    createdAt: '2026-01-01T00:00:00.000Z',
  });
}

/** Writes into a frozen disk, as only something else than vm would. */
async function overwrite(path: string, text: string): Promise<void> {
  await chmod(path, 0o600);
  await writeFile(path, text);
}

async function damageOf(key: string): Promise<string[]> {
  const told: string[] = [];
  await store.find(key, { onDamaged: ({ id }, reason) => told.push(`${id}: ${reason}`) });
  return told;
}

const rootOf = ({ disks }: Layer) => disks[0]?.path ?? '';

describe('making', () => {
  test('what was begun is offered to nobody before it is published', async () => {
    const pending = await store.begin(keyOf('a1'));
    expect(pending.id).toMatch(/^a10{30}-[0-9a-f]{8}$/);
    expect(pending.dir).toBe(join(layersDir(), pending.id));
    await writeFile(pending.diskPath('root'), 'disk');
    expect(await store.find(keyOf('a1'))).toBeUndefined();
    expect(await store.list()).toEqual([]);
    expect(await store.listPending()).toEqual([{ id: pending.id, sizeBytes: expect.any(Number), isMakerAlive: true }]);
    await expect(store.get(pending.id)).rejects.toBeInstanceOf(StateError);
    await expect(store.begin('a1')).rejects.toThrow('no digest in hex');
  });

  test('a published layer is found by its key, with all its facts', async () => {
    const disks = ['root', 'extra-1', 'own-data'].map((id) => ({ id, virtualSizeBytes: 512 }));
    const layer = await addLayer(store, { disks, step: 'nginx', stepFingerprint: 'f', output: 'Setting up nginx\n' });
    expect(layer).toEqual({
      ...layerFacts({ step: 'nginx', stepFingerprint: 'f' }),
      id: layer.id,
      disks: disks.map((disk) => ({ ...disk, path: join(layersDir(), layer.id, `${disk.id}.qcow2`) })),
    });
    expect(await store.find(keyOf('a1'))).toEqual(layer);
    expect(await store.get(layer.id)).toEqual(layer);
    expect(await store.listPending()).toEqual([]);
    expect(await store.readOutput(layer.id)).toBe('Setting up nginx\n');
    expect((await stat(rootOf(layer))).mode & 0o777).toBe(0o400);
  });

  test('another key is another layer, also where ids begin alike', async () => {
    const { id } = await addLayer(store);
    const similar = `${keyOf('a1').slice(0, 32)}${'f'.repeat(32)}`;
    expect(await store.find(similar)).toBeUndefined();
    expect((await store.find(keyOf('a1')))?.id).toBe(id);
  });

  test('two that publish the same key are two layers, of which the newest is found', async () => {
    const [first, second] = await Promise.all([
      addLayer(store, { createdAt: '2026-01-01T00:00:00.000Z' }),
      addLayer(store, { createdAt: '2026-01-02T00:00:00.000Z' }),
    ]);
    expect(first.id).not.toBe(second.id);
    expect((await store.find(keyOf('a1')))?.id).toBe(second.id);
    expect((await store.list()).map(({ layer }) => layer.id)).toEqual([second.id, first.id]);
  });

  test('a flattened one goes before that of which it has the content, but not before a newer one', async () => {
    const { id } = await addLayer(store);
    const flat = await addLayer(store, { flatOf: id });
    expect((await store.ofKey(keyOf('a1'))).map((layer) => layer.id)).toEqual([flat.id, id]);
    expect((await store.find(keyOf('a1')))?.id).toBe(flat.id);
    const newer = await addLayer(store, { createdAt: '2026-01-02T00:00:00.000Z' });
    expect((await store.find(keyOf('a1')))?.id).toBe(newer.id);
  });

  test('too old ones are not given', async () => {
    const createdAt = new Date(Date.now() - 3_600_000).toISOString();
    const { id } = await addLayer(store, { createdAt });
    expect(await store.find(keyOf('a1'), { maxAgeMs: 3_000_000 })).toBeUndefined();
    expect((await store.find(keyOf('a1'), { maxAgeMs: 4_000_000 }))?.id).toBe(id);
  });

  test('what a killed process began is finished by another, also where only the last of it was missing', async () => {
    const begun = await store.begin(keyOf('a1'));
    await writeFile(begun.diskPath('root'), 'disk');
    await writeFile(join(begun.dir, 'maker'), DEAD_MAKER);
    expect(await store.listPending()).toMatchObject([{ id: begun.id, isMakerAlive: false }]);
    const layer = await store.publish(store.pending(begun.id), layerFacts(), signal);
    await writeFile(join(begun.dir, 'maker'), DEAD_MAKER);
    expect(await store.publish(store.pending(begun.id), layerFacts({ step: 'other' }), signal)).toEqual(layer);
    expect(await store.listPending()).toEqual([]);
    expect(await readdir(begun.dir)).not.toContain('maker');
  });

  test('an interrupted one can be published again', async () => {
    const pending = await store.begin(keyOf('a1'));
    await writeFile(pending.diskPath('root'), 'disk');
    await expect(store.publish(pending, layerFacts(), AbortSignal.abort())).rejects.toBeInstanceOf(InterruptedError);
    expect(await store.find(keyOf('a1'))).toBeUndefined();
    expect((await store.publish(pending, layerFacts(), signal)).id).toBe(pending.id);
  });

  test('one that is given up leaves nothing, nor does a killed process', async () => {
    await store.discard(await store.begin(keyOf('a1')));
    await mkdir(join(layersDir(), `.making-${DEAD_MAKER}`, 'a layer being removed'), { recursive: true });
    await writeFile(join(layersDir(), 'notes.txt'), 'not ours');
    expect([await store.list(), await store.listPending()]).toEqual([[], []]);
    expect(await readdir(layersDir())).toEqual(['notes.txt']);
  });
});

describe('a damaged layer is told of, and not given', () => {
  test.each([
    ['a changed byte', (path: string) => overwrite(path, 'kontent of root'), 'its content has changed'],
    ['a truncated disk', (path: string) => truncate(path, 3), '3 of 15 bytes'],
    ['a disk that is gone', (path: string) => rm(path), 'it is gone'],
  ])('%s', async (_, damage, reason) => {
    const layer = await addLayer(store);
    await damage(rootOf(layer));
    expect(await damageOf(layer.key)).toEqual([`${layer.id}: root.qcow2: ${reason}`]);
    await expect(store.get(layer.id)).rejects.toMatchObject({
      message: `the layer ${layer.id} that a machine stands on is damaged: root.qcow2: ${reason}`,
      hint: expect.stringContaining('vm up --recreate'),
    });
    expect((await store.list())[0]?.problem).toBe(`root.qcow2: ${reason}`);
  });

  test('an older whole one is given in its place', async () => {
    const older = await addLayer(store, { createdAt: '2025-01-01T00:00:00.000Z' });
    const newer = await addLayer(store);
    await truncate(rootOf(newer), 3);
    const told: string[] = [];
    const found = await store.find(keyOf('a1'), { onDamaged: ({ id }) => told.push(id) });
    expect([found?.id, told]).toEqual([older.id, [newer.id]]);
  });

  test('what it stands on counts, however far below, down to the box', async () => {
    const bottom = await addLayer(store);
    const middle = await addLayer(store, { key: keyOf('a2'), baseId: bottom.id });
    const top = await addLayer(store, { key: keyOf('a3'), baseId: middle.id });
    expect(await store.get(top.id)).toEqual(top);
    const through = `${top.id}: the layer ${middle.id} that it stands on: the layer ${bottom.id} that it stands on:`;
    await rename(join(homeDir, 'boxes', 'b1'), join(homeDir, 'b1'));
    expect(await damageOf(top.key)).toEqual([
      expect.stringContaining(`${through} a box that a machine stands on is gone`),
    ]);
    await rename(join(homeDir, 'b1'), join(homeDir, 'boxes', 'b1'));
    await overwrite(rootOf(bottom), 'kontent of root');
    expect(await damageOf(top.key)).toEqual([`${through} root.qcow2: its content has changed`]);
    await store.remove(bottom.id);
    expect(await damageOf(top.key)).toEqual([`${through} it is gone`]);
  });

  test('one that stands on a file elsewhere', async () => {
    const layer = await addLayer(store, {}, (path) => writeFile(path, qcow2On('/elsewhere/boxes/b1/disk.qcow2')));
    expect(await damageOf(layer.key)).toEqual([
      `${layer.id}: the disk root stands on /elsewhere/boxes/b1/disk.qcow2, which is not in ${join(homeDir, 'boxes', 'b1')}`,
    ]);
    const boxDisk = join(homeDir, 'boxes', 'b1', 'disk.qcow2');
    const whole = await addLayer(store, { key: keyOf('a2') }, (path) => writeFile(path, qcow2On(boxDisk)));
    const above = keyOf('a3');
    await addLayer(store, { key: above, baseId: whole.id }, (path) => writeFile(path, qcow2On(rootOf(whole))));
    expect([await damageOf(whole.key), await damageOf(above)]).toEqual([[], []]);
  });

  test('one whose description is damaged is none; one of a newer format is left alone', async () => {
    const [torn, newer] = [await addLayer(store), await addLayer(store)];
    await writeFile(join(layersDir(), torn.id, 'layer.json'), '{"form');
    await writeFile(join(layersDir(), newer.id, 'layer.json'), '{"format": 99}');
    expect(await store.list()).toEqual([]);
    expect(await store.listPending()).toMatchObject([{ id: torn.id, isMakerAlive: false }]);
  });
});

describe('disks are read only when they may have changed', () => {
  const storedOf = async ({ id }: Layer) => JSON.parse(await readFile(join(layersDir(), id, 'layer.json'), 'utf8'));

  /** As if the content had changed below the file system: it tells the same of the file as before. */
  async function rot(layer: Layer): Promise<void> {
    await overwrite(rootOf(layer), 'kontent of root');
    const { mtimeNs, ctimeNs, ino, size } = await stat(rootOf(layer), { bigint: true });
    const seen = { mtimeNs: `${mtimeNs}`, ctimeNs: `${ctimeNs}`, inode: `${ino}`, bytes: Number(size) };
    const stored = await storedOf(layer);
    stored.disks[0].file.seen = seen;
    await writeFile(join(layersDir(), layer.id, 'layer.json'), JSON.stringify(stored));
  }

  test('an unchanged one is not; verify reads all, and what it finds is remembered', async () => {
    const layer = await addLayer(store);
    await rot(layer);
    expect(await damageOf(layer.key)).toEqual([]);
    await store.verify(layer.id, signal);
    expect((await store.list())[0]?.problem).toBe('root.qcow2: its content has changed');
    expect(await damageOf(layer.key)).toEqual([`${layer.id}: root.qcow2: its content has changed`]);
    await overwrite(rootOf(layer), 'content of root');
    expect((await store.find(layer.key))?.id).toBe(layer.id);
    expect((await store.list())[0]?.problem).toBeUndefined();
  });

  test('one that was only touched is whole, and not read again', async () => {
    const layer = await addLayer(store);
    await utimes(rootOf(layer), 1, 1);
    expect((await store.find(layer.key))?.id).toBe(layer.id);
    const { mtimeNs } = await stat(rootOf(layer), { bigint: true });
    expect((await storedOf(layer)).disks[0].file.seen.mtimeNs).toBe(String(mtimeNs));
  });
});

test('the last use is remembered', async () => {
  const { id } = await addLayer(store);
  await utimes(join(layersDir(), id, 'used'), 1000, 1000);
  expect((await store.list())[0]?.lastUsedAt).toBe('1970-01-01T00:16:40.000Z');
  const before = Date.now() - 1000;
  await store.markUsed(id);
  expect(Date.parse((await store.list())[0]?.lastUsedAt ?? '')).toBeGreaterThan(before);
  await store.remove(id);
  await store.remove(id);
  await store.markUsed(id);
  expect(await store.list()).toEqual([]);
  expect(await store.readOutput(id)).toBeUndefined();
});

test('the lock of a layer is held by one at a time, and leaves nothing', async () => {
  const order: string[] = [];
  const purpose = 'a test';
  {
    await using _first = await store.lock('a', { purpose, signal });
    const waiting = store.lock('a', { purpose, signal, onWait: () => order.push('waits') }).then(async (lock) => {
      order.push('has it');
      await lock[Symbol.asyncDispose]();
    });
    await expect.poll(() => order).toEqual(['waits']);
    void waiting;
  }
  await expect.poll(() => order).toEqual(['waits', 'has it']);
  await expect.poll(() => readdir(join(homeDir, 'locks'))).toEqual([]);
});

/** As much of a qcow2 file as its header, which names what it stands on. */
function qcow2On(backingPath: string): Buffer {
  const header = Buffer.alloc(104 + backingPath.length);
  header.writeUInt32BE(0x51_46_49_fb, 0);
  header.writeUInt32BE(3, 4);
  header.writeBigUInt64BE(104n, 8);
  header.writeUInt32BE(backingPath.length, 16);
  header.write(backingPath, 104);
  return header;
}

test('a layer with a template is as whole as the files of that', async () => {
  const facts = layerFacts({ hasTemplate: true });
  const pending = await store.begin(facts.key);
  await writeFile(pending.diskPath('root'), 'content of root');
  const { ramPath, memory } = pending.template;
  for (const path of [ramPath, memory.statePath, memory.factsPath]) await writeFile(path, 'content');
  const layer = await store.publish(pending, facts, signal);
  expect(layer.template).toEqual({ ...pending.template, ramBytes: 7 });
  expect(await store.find(facts.key)).toEqual(layer);
  expect(await store.describe(layer.id)).toEqual(layer);

  await writeFile(ramPath, 'changed');
  const problems: string[] = [];
  expect(await store.find(facts.key, { onDamaged: (_, reason) => problems.push(reason) })).toBeUndefined();
  expect(problems).toEqual(['ram: its content has changed']);
  await writeFile(ramPath, 'content');
  expect(await store.find(facts.key)).toEqual(layer);
});
