import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, statfs, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Box } from '../../src/boxes/box.ts';
import { BoxStore } from '../../src/boxes/store.ts';
import type { Layer } from '../../src/layers/layer.ts';
import { LayerStore } from '../../src/layers/layer-store.ts';
import { changeByte } from '../support/change-byte.ts';
import { storeFakeBox } from '../support/fake-box.ts';
import { createImage } from '../support/images.ts';
import { addLayer, keyOf } from '../support/layers.ts';
import { TestProject } from '../support/test-project.ts';
import { mountTmpfs } from '../support/tmpfs.ts';
import { tools } from '../support/tools.ts';

const runProgram = promisify(execFile);

/** Four layers on a box, each with some MiB of its own, the last on a grown disk and with a disk that is the machine's own. */
class Chain {
  readonly project: TestProject;
  readonly store: LayerStore;
  readonly box: Box;
  readonly top: Layer;

  private constructor(project: TestProject, store: LayerStore, box: Box, top: Layer) {
    this.project = project;
    this.store = store;
    this.box = box;
    this.top = top;
  }

  static async make(project: TestProject): Promise<Chain> {
    const homeDir = String(project.env.VM_HOME);
    await storeFakeBox(homeDir, 'tiny');
    const [listed] = await new BoxStore(homeDir).list();
    if (listed === undefined) throw new Error('the box is gone');
    const store = new LayerStore(homeDir);
    let top: Layer | undefined;
    for (const number of [1, 2, 3, 4]) {
      const base: Layer | undefined = top;
      const facts = {
        key: keyOf(`a${number}`),
        boxKey: listed.box.key,
        baseId: base?.id,
        parentKey: base?.key,
        step: `step ${number}`,
        output: `printed by ${number}\n`,
        disks: ['root', 'own-data'].map((id) => ({ id, virtualSizeBytes: 2 ** 27 })),
      };
      top = await addLayer(store, facts, async (path, id) => {
        const backing =
          base?.disks.find((disk) => disk.id === id)?.path ?? (id === 'root' ? listed.box.diskPath : undefined);
        await createImage(path, backing === undefined ? [] : ['-b', backing, '-F', 'qcow2'], '128M');
        const writes = [`write -P ${number} ${number}M 2M`, `write -z 3M ${number * 100}k`, `write -P 7 127M 1M`];
        await runProgram('qemu-io', ['-f', 'qcow2', ...writes.flatMap((write) => ['-c', write]), path]);
      });
    }
    return new Chain(project, store, listed.box, top as Layer); // four were made
  }

  /** Gives the id of the flattened layer. */
  async flatten(): Promise<string> {
    const lines = (await this.project.ok('cache', 'flatten', this.top.id, '--json')).trim().split('\n');
    const { layers } = JSON.parse(lines.at(-1) ?? '') as { layers: readonly string[] };
    return layers.join();
  }

  /** The names of what is in the store, sorted. */
  async ids(): Promise<string[]> {
    return (await readdir(join(String(this.project.env.VM_HOME), 'layers'))).sort();
  }
}

const makeProject = (env: Readonly<Record<string, string>> = {}) =>
  TestProject.create({ files: {}, tools: [tools.qemuImg], env });

async function filesBelow(path: string): Promise<string[]> {
  const { stdout } = await runProgram('qemu-img', ['info', '--backing-chain', '--output=json', path]);
  return (JSON.parse(stdout) as { filename: string }[]).map(({ filename }) => filename);
}

test('a flattened layer has the same content, stands on the box alone, and is found first', async () => {
  await using project = await makeProject();
  const chain = await Chain.make(project);
  const { store, top, box } = chain;
  const before = await Promise.all(top.disks.map(({ path }) => readFile(path)));
  const id = await chain.flatten();
  const flat = await store.get(id);
  expect(flat).toMatchObject({ key: top.key, flatOf: top.id, step: 'step 4', createdAt: top.createdAt });
  expect(flat.baseId).toBeUndefined();
  for (const [index, { path }] of flat.disks.entries()) {
    const original = top.disks[index]?.path ?? '';
    await runProgram('qemu-img', ['compare', '-f', 'qcow2', '-F', 'qcow2', original, path]);
    expect(await filesBelow(path)).toEqual(index === 0 ? [path, box.diskPath] : [path]);
    expect(before[index]?.equals(await readFile(original))).toBe(true);
  }
  expect((await store.find(top.key))?.id).toBe(id);
  expect(await store.readOutput(id)).toBe('printed by 4\n');
  expect(await project.ok('cache', 'list')).toContain('step 4 (merged)');
  expect(await project.ok('cache', 'verify')).toBe('5 of 5 layers whole\n');
  expect(await chain.flatten()).toBe(id);
  expect(await chain.ids()).toHaveLength(5);
});

test('a flattened layer that is damaged is made anew', async () => {
  await using project = await makeProject();
  const chain = await Chain.make(project);
  const first = await chain.store.get(await chain.flatten());
  await chmod(first.disks[0]?.path ?? '', 0o600);
  await changeByte(first.disks[0]?.path ?? '', 300_000);
  const second = await chain.flatten();
  expect(second).not.toBe(first.id);
  expect(await chain.flatten()).toBe(second);
});

test('killed, it leaves what prune removes; the layer is as it was, and can be flattened', async () => {
  await using project = await makeProject();
  const chain = await Chain.make(project);
  const before = await chain.ids();
  const bin = join(project.dir, 'bin');
  await mkdir(bin);
  await symlink(tools.blockingQemuImg, join(bin, 'qemu-img'));
  const [begun, end] = ['begun', 'end'].map((name) => join(project.dir, name)) as [string, string]; // two names, two paths
  await runProgram('mkfifo', [begun, end]);
  const env = { ...project.env, PATH: `${bin}:/usr/bin:/bin`, BLOCKING_BEGUN: begun, BLOCKING_END: end };
  const running = project.startWith(env, 'cache', 'flatten', chain.top.id);
  await readFile(begun);
  running.child.kill('SIGKILL');
  await running.ended;
  await writeFile(end, 'go on\n');
  expect(await chain.ids()).toHaveLength(5);
  await project.ok('cache', 'prune', '--yes');
  expect(await chain.ids()).toEqual(before);
  await chain.flatten();
  expect(await project.ok('cache', 'verify')).toBe('5 of 5 layers whole\n');
});

test('a disk that becomes full: that is said, nothing is left, and what is said in the background is told later', async () => {
  await using tmpfs = await mountTmpfs('96m');
  await using project = await makeProject({ VM_HOME: join(tmpfs.dir, 'home') });
  const chain = await Chain.make(project);
  const before = await chain.ids();
  const { blocks, bfree, bsize } = await statfs(tmpfs.dir);
  await tmpfs.resize(`${((blocks - bfree) * bsize) / 1024 + 2048}k`);
  const said = await project.fails(1, 'cache', 'flatten', chain.top.id, '--quiet');
  expect(said).toMatch(/No space left on device|disk is full/);
  expect(await chain.ids()).toEqual(before);

  const log = join(tmpfs.dir, 'home/layers', chain.top.id, 'flatten.log');
  await writeFile(log, said);
  const list = await project.vm('cache', 'list');
  expect(list.stderr).toContain(`vm cache flatten ${chain.top.id.slice(0, 12)} tries it again`);
  expect(list.stderr).toContain(said.split('\n')[0]);
  await tmpfs.resize('96m');
  await chain.flatten();
  expect((await project.vm('cache', 'list')).stderr).toBe('');
});

test('of the state of a clone, which no new machine begins with, what it stands on is flattened', async () => {
  await using project = await makeProject();
  const chain = await Chain.make(project);
  const { store, top, box } = chain;
  const addPrivate = (key: string, base?: Layer) => {
    const below = base?.disks.find(({ id }) => id === 'root')?.path ?? box.diskPath;
    const facts = { key: keyOf(key), boxKey: box.key, baseId: base?.id, isPrivate: true } as const;
    return addLayer(store, facts, (path) => createImage(path, ['-b', below, '-F', 'qcow2'], '128M'));
  };
  const onTop = await addPrivate('b1', top);
  await project.ok('cache', 'flatten', onTop.id);
  expect((await store.find(top.key))?.flatOf).toBe(top.id);
  const onAlone = await addPrivate('b3', await addPrivate('b2'));
  expect(await project.fails(1, 'cache', 'flatten', onAlone.id)).toContain('no new machine begins with it');
});
