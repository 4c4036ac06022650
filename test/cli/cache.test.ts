import { chmod, mkdir, readdir, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Box } from '../../src/boxes/box.ts';
import { BoxStore } from '../../src/boxes/store.ts';
import type { Layer, LayerFacts } from '../../src/layers/layer.ts';
import { LayerStore } from '../../src/layers/layer-store.ts';
import { StateStore } from '../../src/machine/state-store.ts';
import { storeFakeBox } from '../support/fake-box.ts';
import { createImage } from '../support/images.ts';
import { addLayer, addMachine, keyOf, layerFacts } from '../support/layers.ts';
import { TestProject } from '../support/test-project.ts';
import { mountTmpfs } from '../support/tmpfs.ts';

const { signal } = new AbortController();
const DEAD_MAKER = `${2 ** 22 + 1}.1-abcd`;

/** A store with a box and two layers on it, of real disks; the second stands on the first. */
class World implements AsyncDisposable {
  readonly project: TestProject;
  readonly homeDir: string;
  readonly store: LayerStore;
  readonly box: Box;

  private constructor(project: TestProject, homeDir: string, box: Box) {
    this.project = project;
    this.homeDir = homeDir;
    this.box = box;
    this.store = new LayerStore(homeDir);
  }

  static async create(): Promise<World> {
    const project = await TestProject.create({ files: {}, tools: [] });
    const homeDir = String(project.env.VM_HOME);
    await storeFakeBox(homeDir, 'tiny');
    const [listed] = await new BoxStore(homeDir).list();
    if (listed === undefined) throw new Error('the box is gone');
    return new World(project, homeDir, listed.box);
  }

  add(digits: string, changes: Partial<LayerFacts> = {}, base?: Layer): Promise<Layer> {
    const backing = base?.disks[0]?.path ?? this.box.diskPath;
    const facts = { key: keyOf(digits), boxKey: this.box.key, baseId: base?.id, parentKey: base?.key, ...changes };
    return addLayer(this.store, facts, (path) => createImage(path, ['-b', backing, '-F', 'qcow2']));
  }

  /** A folder as a killed process leaves it. */
  async leave(digits: string): Promise<string> {
    const { id, dir, diskPath } = await this.store.begin(keyOf(digits));
    await createImage(diskPath('root'));
    await writeFile(join(dir, 'maker'), DEAD_MAKER);
    return id;
  }

  async lastUsed({ id }: Layer, daysAgo: number): Promise<void> {
    const at = Date.now() / 1000 - daysAgo * 86_400;
    await utimes(join(this.homeDir, 'layers', id, 'used'), at, at);
  }

  /** The ids of what is in the store. */
  async ids(): Promise<string[]> {
    return (await readdir(join(this.homeDir, 'layers'))).sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(join(this.project.dir, '.vm'), { recursive: true, force: true });
    await this.project[Symbol.asyncDispose]();
  }
}

const sorted = (...layers: readonly Layer[]) => layers.map(({ id }) => id).sort();

describe('list and info', () => {
  test('show what layers are made of, and who stands on them', async () => {
    await using world = await World.create();
    const { project } = world;
    expect(await project.ok('cache', 'list')).toBe('LAYER  BOX  STEP  SIZE  AGE  LAST USED  MACHINES\n');
    const boot = await world.add('b0', { createdAt: new Date(Date.now() - 86_400_000).toISOString() });
    const nginx = await world.add('c0', { step: 'nginx', createdAt: new Date().toISOString(), output: 'done\n' }, boot);
    await addMachine(world.homeDir, project.dir, { layer: nginx.id });
    const [header, first, second, ...rest] = (await project.ok('cache', 'ls')).split('\n');
    expect(header).toMatch(/^LAYER +BOX +STEP +SIZE +AGE +LAST USED +MACHINES$/);
    expect(first).toMatch(/^c0{11} +tiny +nginx +\d+ KiB +\d+s +\d+s ago +web$/);
    expect(second).toMatch(/^b0{11} +tiny +\(first boot\) +\d+ KiB +1d +\d+s ago +-$/);
    expect(rest).toEqual(['']);

    const info = await project.ok('cache', 'info', nginx.key.slice(0, 12));
    expect(info).toContain(`layer            ${nginx.id}\n`);
    expect(info).toContain(`disk             ${nginx.disks[0]?.path}\n`);
    expect(info).toContain(`stands_on        ${boot.id} (first boot)\n`);
    expect(info).toContain(`machine          web in ${project.dir}\n`);
    expect(await project.ok('cache', 'info', nginx.id, '--output')).toBe('done\n');
    expect(await project.ok('cache', 'info', boot.id, '--output')).toBe('');
    expect(await project.ok('completion', 'bash')).toContain('vm cache list');
    expect(await project.fails(2, 'cache', 'info', 'c0')).toContain('there is no layer c0\n→ vm cache list');
  });
});

describe('prune', () => {
  test('removes what was not used for 30 days, and asks before', async () => {
    await using world = await World.create();
    const [old, recent] = [await world.add('b0'), await world.add('c0')];
    await world.lastUsed(old, 31);
    expect(await world.project.fails(2, 'cache', 'prune')).toMatch(/Remove 1 layer\? That frees \d+ KiB\. There is no/);
    expect(await world.project.ok('cache', 'prune', '--yes')).toMatch(/^removed 1 layer: \d+ KiB freed\n$/);
    expect(await world.ids()).toEqual([recent.id]);
    expect(await world.project.ok('cache', 'prune')).toBe('nothing to remove\n');
  });

  test('by age or by size, as asked for', async () => {
    await using world = await World.create();
    const layers = [await world.add('b0'), await world.add('c0'), await world.add('d0')];
    for (const [i, layer] of layers.entries()) await world.lastUsed(layer, 10 - i);
    await world.project.ok('cache', 'prune', '--older-than', '10d', '--force');
    expect(await world.ids()).toEqual(sorted(...layers.slice(1)));
    await world.project.ok('cache', 'prune', '--older-than', '300h', '--force');
    expect(await world.ids()).toHaveLength(2);
    const sizeBytes = (await world.store.list())[0]?.sizeBytes ?? 0;
    await world.project.ok('cache', 'prune', '--keep-size', `${sizeBytes}B`, '--force');
    expect(await world.ids()).toEqual(sorted(...layers.slice(2)));
  });

  test('never what a machine stands on, nor what that stands on', async () => {
    await using world = await World.create();
    const bottom = await world.add('b0');
    const used = await world.add('c0', {}, bottom);
    const unused = await world.add('d0', {}, used);
    const above = await world.add('e0', {}, unused);
    await addMachine(world.homeDir, world.project.dir, { layer: used.id });
    const [{ removed }] = (await world.project.ok('cache', 'prune', '--all', '--json', '--yes'))
      .split('\n')
      .slice(0, 1)
      .map((line) => JSON.parse(line)) as [{ removed: string[] }];
    expect(removed).toEqual([above.id, unused.id]);
    expect(await world.ids()).toEqual(sorted(bottom, used));
  });

  test('what a killed command has left, unless a machine needs it', async () => {
    await using world = await World.create();
    const [gone, needed] = [await world.leave('b0'), await world.leave('c0')];
    const atWork = await world.store.begin(keyOf('d0'));
    await mkdir(join(world.homeDir, 'layers', `.making-${DEAD_MAKER}`, gone), { recursive: true });
    await addMachine(world.homeDir, world.project.dir, { freezing: { layerId: needed } });
    const { stderr } = await world.project.vm('cache', 'list');
    expect(stderr).toMatch(/^commands that were killed have left \d+ KiB: vm cache prune removes/);
    expect(await world.project.ok('cache', 'prune', '--yes')).toMatch(
      /^removed what killed commands have left: \d+ KiB/,
    );
    expect(await world.ids()).toEqual([needed, atWork.id].sort());
    const layer = await world.store.publish(world.store.pending(needed), layerFacts({ key: keyOf('c0') }), signal);
    expect(layer.id).toBe(needed);
  });

  test('waits for whoever makes a machine on a layer, and leaves it then', async () => {
    await using world = await World.create();
    const layer = await world.add('b0');
    const lock = await world.store.lock(layer.id, { purpose: 'vm up', signal });
    const prune = world.project.start('cache', 'prune', '--all', '--yes');
    const waits = new Promise<string>((resolve) => prune.child.stderr?.once('data', resolve));
    expect(await waits).toBe(`b00000000000: waiting for vm up (pid ${process.pid}), which is working on it\n`);
    await addMachine(world.homeDir, world.project.dir, { layer: layer.id });
    await lock[Symbol.asyncDispose]();
    expect(await prune.ended).toMatchObject({ exitCode: 0, stdout: 'nothing to remove\n' });
    expect(await world.ids()).toEqual([layer.id]);
    expect(await readdir(join(world.homeDir, 'locks'))).toEqual([]);
  });

  test('two at once remove each once', async () => {
    await using world = await World.create();
    for (const digits of ['b0', 'c0', 'd0']) await world.add(digits);
    const both = await Promise.all([1, 2].map(() => world.project.vm('cache', 'prune', '--all', '--yes', '--json')));
    const removed = both.flatMap(({ stdout }) => JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '').removed);
    expect(both).toMatchObject([{ exitCode: 0 }, { exitCode: 0 }]);
    expect(new Set(removed).size).toBe(removed.length);
    expect([removed.length, await world.ids()]).toEqual([3, []]);
  });

  test('refuses where a machine may stand on anything', async () => {
    await using world = await World.create();
    const layer = await world.add('b0');
    const { machine } = await addMachine(world.homeDir, world.project.dir, {});
    await writeFile(new StateStore(world.project.dir).layout(machine).recordPath, '{');
    expect(await world.project.fails(1, 'cache', 'prune', '--all', '--yes')).toContain(
      `some layers may be in use by web in ${world.project.dir}, whose record is damaged`,
    );
    expect(await world.ids()).toEqual([layer.id]);
  });

  test.each([
    [['--keep-size', 'much'], 'must be a size such as 10GiB'],
    [['--older-than', '7'], 'must be a time such as 12h or 7d'],
  ])('%j', async (args, says) => {
    await using world = await World.create();
    expect(await world.project.fails(2, 'cache', 'prune', ...args)).toContain(says);
  });
});

test('verify finds what is damaged, with what stands on it, and prune removes both', async () => {
  await using world = await World.create();
  const [bottom, whole] = [await world.add('b0'), await world.add('d0')];
  const top = await world.add('c0', {}, bottom);
  expect(await world.project.ok('cache', 'verify')).toBe('3 of 3 layers whole\n');
  const [disk] = bottom.disks;
  await chmod(disk?.path ?? '', 0o600);
  await truncate(disk?.path ?? '', 100);
  const problem = /root\.qcow2: 100 of \d+ bytes/.source;
  const verified = await world.project.vm('cache', 'verify', top.id);
  expect(verified).toMatchObject({ exitCode: 1 });
  expect(verified.stdout).toMatch(
    new RegExp(`^${top.id} is damaged: the layer ${bottom.id} that it stands on: ${problem}\n0 of 1 layer whole\n$`),
  );
  expect(await world.project.ok('cache', 'list')).toMatch(/^b0{11} \(damaged\) /m);
  expect(await world.project.ok('cache', 'prune', '--yes')).toMatch(/^removed 2 layers \(2 damaged\): /);
  expect(await world.ids()).toEqual([whole.id]);
});

describe('layers and boxes', () => {
  test.each([
    [['box', 'remove', 'tiny'], /^tiny is removed, with 2 layers\n$/],
    [['box', 'prune', '--all', '--yes'], /^removed tiny \S+, with 2 layers: \d+ KiB freed\n$/],
  ])('%j removes what stands on the box', async (args, says) => {
    await using world = await World.create();
    await world.add('c0', {}, await world.add('b0'));
    const other = await world.add('d0', { boxKey: 'gone' });
    expect(await world.project.ok(...args)).toMatch(says);
    expect(await world.ids()).toEqual([other.id]);
    expect(await new BoxStore(world.homeDir).list()).toEqual([]);
  });

  test('a box that a machine stands on stays, with its layers', async () => {
    await using world = await World.create();
    const layers = [await world.add('b0'), await world.add('c0')];
    const { key, name, version } = world.box;
    await addMachine(world.homeDir, world.project.dir, { layer: layers[0]?.id ?? '', box: { key, name, version } });
    expect(await world.project.fails(1, 'box', 'remove', 'tiny')).toContain('the box tiny is in use by web in');
    expect(await world.project.ok('box', 'prune', '--all')).toBe('nothing to remove\n');
    expect(await world.ids()).toEqual(sorted(...layers));
  });

  test('a layer whose box is gone is damaged', async () => {
    await using world = await World.create();
    await world.add('b0', { boxKey: 'gone' });
    expect(await world.project.ok('cache', 'list')).toMatch(/^b0{11} \(damaged\) +\(gone\) /m);
  });
});

test('a full disk while a layer is published: the frozen disk stays, and it can be published later', async () => {
  await using full = await mountTmpfs('1m');
  const store = new LayerStore(full.dir);
  const pending = await store.begin(keyOf('a1'));
  await createImage(pending.diskPath('root'), [], '8M');
  await writeFile(join(full.dir, 'filler'), Buffer.alloc(2 ** 21)).catch(() => {});
  const facts = layerFacts({ output: 'x'.repeat(5000) });
  await expect(store.publish(pending, facts, signal)).rejects.toThrow('the disk is full');
  expect(await store.find(facts.key)).toBeUndefined();
  expect(await readdir(pending.dir)).toEqual(expect.arrayContaining(['maker', 'root.qcow2']));
  await rm(join(full.dir, 'filler'));
  const layer = await store.publish(pending, facts, signal);
  expect((await store.list()).map(({ layer: { id } }) => id)).toEqual([layer.id]);
});
