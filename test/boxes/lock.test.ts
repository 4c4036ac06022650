import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BOX_METADATA, diskBytes, type Imports, openImports } from '../support/box-imports.ts';
import { startRegistry } from '../support/docker-registry.ts';
import { digest } from '../support/downloads.ts';
import { createImage } from '../support/images.ts';
import { serve } from '../support/local-server.ts';
import { runVm } from '../support/run-vm.ts';
import { TestProject } from '../support/test-project.ts';
import { tools } from '../support/tools.ts';

let imports: Imports;

beforeEach(async () => {
  imports = await openImports();
});

afterEach(() => imports[Symbol.asyncDispose]());

const machinefile = (box: string) => imports.project.write('Machinefile', `machines: { m: { box: ${box} } }\n`);
const lockfile = () => readFile(imports.at('Machinefile.lock'), 'utf8');
/** Chooses the boxes as `up` does, and ends before there is a machine. */
const choose = ['up', '--dry-run', '--quiet'];

test('a box is locked, and another file in its place is not taken for it', async () => {
  const { project, at } = imports;
  await machinefile('./disk.raw');
  await project.ok(...choose);
  expect(existsSync(at('Machinefile.lock'))).toBe(false);
  expect(await project.fails(1, 'up', '--locked')).toContain('does not have every box that is asked for: ./disk.raw');
  expect(await project.ok('box', 'update')).toMatch(/^\.\/disk\.raw is locked at /);
  expect(await lockfile()).toContain(`sha256: ${digest('sha256', diskBytes())}`);
  expect(await project.ok('box', 'update')).toMatch(/^\.\/disk\.raw is up to date /);
  await writeFile(at('disk.raw'), diskBytes(1));
  const changed = await project.fails(1, ...choose);
  expect(changed).toContain('the box ./disk.raw is not the one in Machinefile.lock');
  expect(changed).toContain('→ if the new one is wanted: vm box update ./disk.raw');
  await project.ok('box', 'update', './disk.raw');
  await project.ok(...choose);
});

test('an address means what was locked, until it is renewed', async () => {
  const { project } = imports;
  let content = diskBytes(2);
  await using server = await serve((_request, response) => response.end(content));
  const url = `${server.origin}/disk.raw`;
  await machinefile(url);
  await project.ok('box', 'update');
  const before = content;
  content = diskBytes(3);
  await project.ok(...choose);
  expect(server.seen).toHaveLength(1);
  await machinefile(`{ url: "${url}", checksum: "sha256:${digest('sha256', content)}" }`);
  expect(await project.fails(1, ...choose)).toContain(
    `wanted sha256:${digest('sha256', content)}\n  locked sha256:${digest('sha256', before)}`,
  );
  await project.ok('box', 'update');
  await project.ok(...choose);
});

test('a box that is gone from the store is fetched in the version that was locked', async () => {
  const { project, at, makeBox } = imports;
  const listed = async (...versions: string[]) =>
    writeFile(
      at('catalog.json'),
      JSON.stringify({
        name: 'team/app',
        versions: versions.map((version) => ({
          version,
          providers: [{ name: 'libvirt', url: `${version}.box` }],
        })),
      }),
    );
  await using server = await serve(async (request, response) => response.end(await readFile(at(request.url ?? ''))));
  await makeBox('1.0.0.box', { 'metadata.json': BOX_METADATA });
  await makeBox('1.1.0.box', { 'metadata.json': BOX_METADATA, Vagrantfile: '# newer' });
  await listed('1.0.0');
  await machinefile(`${server.origin}/catalog.json`);
  await project.ok('box', 'update');
  await listed('1.0.0', '1.1.0');
  await project.ok('box', 'prune', '--all', '--yes');
  await project.ok(...choose);
  expect(await imports.list()).toMatchObject([{ name: 'team/app', version: '1.0.0' }]);
  expect(await project.ok('box', 'update')).toContain('1.0.0 → 1.1.0');
});

test('a catalog that one project names does not decide what a name means to others', async () => {
  const { project, at, makeBox } = imports;
  await makeBox('own.box', { 'metadata.json': BOX_METADATA });
  const versions = [{ version: '99', providers: [{ name: 'libvirt', url: 'own.box' }] }];
  await writeFile(at('catalog.json'), JSON.stringify({ name: 'team/app', versions }));
  await machinefile('./catalog.json');
  await project.ok(...choose);
  await machinefile('team/app');
  expect(await project.fails(1, ...choose)).toContain('there is no box called team/app');
  await project.ok('box', 'add', 'catalog.json');
  await project.ok(...choose);
});

test('a project that was moved keeps its boxes, once it was brought up again', async () => {
  await using project = await TestProject.create({
    files: { 'before/Machinefile': 'machines: { m: { box: ./disk.qcow2 } }\n' },
    tools: [tools.qemuImg, ...tools.fakeGuest],
  });
  const vmIn = (dir: string, ...args: string[]) => runVm({ args, cwd: join(project.dir, dir), env: project.env });
  await createImage(join(project.dir, 'before/disk.qcow2'));
  expect(await vmIn('before', 'up')).toMatchObject({ exitCode: 0 });
  expect(await vmIn('before', 'halt')).toMatchObject({ exitCode: 0 });
  await rename(join(project.dir, 'before'), join(project.dir, 'after'));
  expect(await vmIn('after', 'up')).toMatchObject({ exitCode: 0 });
  try {
    const pruned = await vmIn('after', 'box', 'prune', '--all', '--yes');
    expect(pruned.stdout).toBe('nothing to remove\n');
  } finally {
    await vmIn('after', 'destroy', '--yes');
  }
});

test('a machine that exists goes on with its box when another one would be meant, but not with --locked', async () => {
  await using project = await TestProject.create({
    files: { Machinefile: 'machines: { m: { box: ./disk.qcow2 } }\n' },
    tools: [tools.qemuImg, ...tools.fakeGuest],
  });
  const imagePath = join(project.dir, 'disk.qcow2');
  await createImage(imagePath);
  await project.ok('up');
  await project.ok('halt');
  await createImage(imagePath, [], '65M');
  const warning = await project.fails(0, 'up');
  expect(warning).toContain('m: goes on with the box that it stands on (disk.qcow2 ');
  expect(warning).toContain('the box ./disk.qcow2 is not the one in Machinefile.lock');
  expect(await project.fails(1, 'up', '--locked')).toContain('is not the one in Machinefile.lock');
});

test('a tag that was moved: pull takes what it means now', async () => {
  await using registry = await startRegistry();
  const { project, at, add } = imports;
  const url = `oci://${registry.name}/team/app:1`;
  const pulled = async () =>
    JSON.parse((await project.ok('box', 'pull', '--json', url)).trimEnd().split('\n').at(-1) ?? '');
  await project.ok('box', 'push', (await add('disk.raw')).key, url);
  const before = await pulled();
  expect(await pulled()).toEqual(before);
  await writeFile(at('disk.raw'), diskBytes(4));
  await project.ok('box', 'push', (await add('disk.raw')).key, url);
  expect((await pulled()).key).not.toBe(before.key);
});
