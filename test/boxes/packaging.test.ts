import { mkdir, mkdtemp, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Box } from '../../src/boxes/box.ts';
import type { MachineDisk } from '../../src/boxes/packaging/flatten.ts';
import { PACKAGE_FORMATS, type PackageFormat } from '../../src/boxes/packaging/package-format.ts';
import { writePackage } from '../../src/boxes/packaging/write-package.ts';
import { BoxStore } from '../../src/boxes/store.ts';
import { InterruptedError, UsageError } from '../../src/errors.ts';
import { captureBox } from '../../src/operations/packaging/capture.ts';
import { wholeBox } from '../../src/operations/packaging/whole-box.ts';
import { type AddedBox, diskBytes, type Imports, openImports } from '../support/box-imports.ts';
import { tools } from '../support/tools.ts';

const BYTES = diskBytes().length;
const context = { reporter: { report: () => {} }, signal: new AbortController().signal };

let imports: Imports;
/** Two disks of a machine: overlays of another image, each with something of its own. */
let disks: readonly [MachineDisk, MachineDisk];

beforeAll(async () => {
  imports = await openImports();
  await imports.convert('base.qcow2', 'qcow2');
  disks = [
    await makeOverlay('first', imports.at('base.qcow2'), 'write -P 0x42 600k 64k'),
    await makeOverlay('second', imports.at('base.qcow2'), 'write -P 0x17 0 64k'),
  ];
});

afterAll(() => imports[Symbol.asyncDispose]());

async function makeOverlay(name: string, basePath: string, change: string): Promise<MachineDisk> {
  const { at, run } = imports;
  const path = at(`${name}.qcow2`);
  await run(tools.qemuImg, 'create', '-q', '-f', 'qcow2', '-b', basePath, '-F', 'qcow2', path);
  await run('qemu-io', '-f', 'qcow2', '-c', change, path);
  return { path, virtualSizeBytes: BYTES };
}

async function expectSame(path: string, other: string): Promise<void> {
  const { stdout } = await imports.run(tools.qemuImg, 'compare', path, other);
  expect(stdout).toBe('Images are identical.\n');
}

interface Circumstances {
  readonly signal?: AbortSignal;
  /** What is where the file is to be. */
  readonly found?: readonly string[];
}

async function write(
  format: PackageFormat,
  of: readonly MachineDisk[],
  { signal = context.signal, found = [] }: Circumstances = {},
): Promise<string> {
  const dir = await mkdtemp(imports.at('packages-'));
  for (const name of found) await writeFile(join(dir, name), '');
  const workDir = join(dir, 'work');
  await mkdir(workDir);
  const destPath = join(dir, `web.${format}`);
  const appliance = { name: 'web', cpus: 2, memoryBytes: 2 ** 29, disks: of };
  await writePackage({ ...appliance, format, destPath, workDir }, { context: { ...context, signal }, subject: 'web' });
  expect((await readdir(dir)).sort()).toEqual([`web.${format}`, 'work']);
  return destPath;
}

describe('a file holds what the machine had', () => {
  test.each(PACKAGE_FORMATS)('%s', async (format) => {
    const box = await imports.add(await write(format, disks.slice(0, 1)));
    await expectSame(imports.diskOf(box), disks[0].path);
  });

  test.each(['box', 'ova'] as const)('%s with two disks', async (format) => {
    const box: AddedBox = await imports.add(await write(format, disks));
    await expectSame(imports.diskOf(box), disks[0].path);
    await expectSame(imports.diskOf(box).replace('disk.qcow2', 'disk-1.qcow2'), disks[1].path);
  });

  test('an image has no place for a second disk', async () => {
    await expect(write('vmdk', disks)).rejects.toThrow(UsageError);
  });
});

test('what a killed process left of the same file is removed', async () => {
  await write('raw', disks.slice(0, 1), { found: [`.web.raw.${2 ** 22 + 1}.1-abcd`] });
});

test.each(['box', 'vmdk'] as const)('of an interrupted %s nothing is left', async (format) => {
  const failure = write(format, disks.slice(0, 1), { signal: AbortSignal.abort() });
  await expect(failure).rejects.toThrow(InterruptedError);
  const folders = (await readdir(imports.at('.'))).filter((name) => name.startsWith('packages-'));
  const files = await Promise.all(folders.map((name) => readdir(imports.at(name))));
  expect(files.flat().filter((name) => name.startsWith('.'))).toEqual([]);
});

describe('a box made of a machine', () => {
  let store: BoxStore;
  let parent: Box;

  beforeAll(async () => {
    store = new BoxStore(imports.homeDir);
    const { key } = await imports.add('base.qcow2', '--name', 'team/base');
    parent = await store.get(key);
  });

  async function capture(name: string, change: string): Promise<Box> {
    const disk = await makeOverlay(name, parent.diskPath, change);
    const facts = {
      name: `team/${name}`,
      version: '1.0',
      arch: 'x86_64' as const,
      seed: 'cloud-init' as const,
      user: 'vm',
      fingerprint: undefined,
      source: 'made by a test',
    };
    return captureBox({ disks: [disk], parent, facts, subject: name }, { ...context, boxes: store });
  }

  test('shares with its parent what is the same, and is the same twice', async () => {
    const box = await capture('child', 'write -P 0x33 1M 64k');
    expect(box).toMatchObject({ parentKey: parent.key, isNamed: true, virtualSizeBytes: BYTES });
    await expectSame(box.diskPath, imports.at('child.qcow2'));
    const { sizeBytes } = (await store.list()).find((listing) => listing.box.key === box.key) ?? {
      sizeBytes: Infinity,
    };
    expect(sizeBytes).toBeLessThan((await stat(parent.diskPath)).blocks * 512);
    expect((await capture('child', 'write -P 0x33 1M 64k')).key).toBe(box.key);
  });

  test('keeps its parent in the store, until it is removed itself', async () => {
    const { project } = imports;
    const box = await capture('keeper', 'write -P 0x34 1M 64k');
    expect(await project.fails(1, 'box', 'remove', parent.key)).toMatch(
      /the box team\/base is what the box team\/(child|keeper) 1\.0 stands on\n→ remove that first: vm box remove [0-9a-f]{12}/,
    );
    expect(await project.ok('box', 'info', box.key)).toMatch(new RegExp(`^parent +${parent.key}$`, 'm'));
  });

  test('is sent without its parent', async () => {
    const box = await capture('sent', 'write -P 0x35 1M 64k');
    await using whole = await wholeBox(box, { ...context, boxes: store });
    const { stdout } = await imports.run(tools.qemuImg, 'info', '--output=json', whole.box.diskPath);
    expect(JSON.parse(stdout)).not.toHaveProperty('backing-filename');
    await expectSame(whole.box.diskPath, box.diskPath);
  });

  test('is damaged without its parent', async () => {
    const box = await capture('orphan', 'write -P 0x36 1M 64k');
    await store.remove(parent.key);
    await expect(store.get(box.key)).rejects.toThrow(/team\/orphan is damaged: .*that it stands on is gone/);
  });
});

test('pruning removes parents after their children', async () => {
  await using own = await openImports();
  const { key } = await own.add('disk.raw', '--name', 'team/base');
  const store = new BoxStore(own.homeDir);
  const parent = await store.get(key);
  const disk = { path: own.at('child.qcow2'), virtualSizeBytes: BYTES };
  await own.run(tools.qemuImg, 'create', '-q', '-f', 'qcow2', '-b', parent.diskPath, '-F', 'qcow2', disk.path);
  const facts = {
    name: 'team/child',
    version: '1',
    arch: parent.arch,
    seed: parent.seed,
    user: 'vm',
    source: 'a test',
  };
  const child = await captureBox(
    { disks: [disk], parent, facts: { ...facts, fingerprint: undefined }, subject: 'child' },
    { ...context, boxes: store },
  );
  const lines = (await own.project.ok('box', 'prune', '--all', '--yes', '--json')).trimEnd().split('\n');
  expect(JSON.parse(lines.at(-1) ?? '')).toEqual({ type: 'result', removed: [child.key, parent.key] });
});
