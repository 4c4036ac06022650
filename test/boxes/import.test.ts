import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type AddedBox,
  BOX_METADATA,
  diskBytes,
  type Imports,
  metadataOf,
  openImports,
} from '../support/box-imports.ts';
import { digest } from '../support/downloads.ts';
import { tools } from '../support/tools.ts';

let imports: Imports;

beforeAll(async () => {
  imports = await openImports();
});

afterAll(() => imports[Symbol.asyncDispose]());

/** The disk of a box is the one that everything here was made of. */
async function expectDisk(box: AddedBox): Promise<void> {
  const { run, diskOf } = imports;
  const compared = await run(tools.qemuImg, 'compare', '-f', 'raw', '-F', 'qcow2', 'disk.raw', diskOf(box));
  expect(compared.stdout).toBe('Images are identical.\n');
}

async function infoOf({ key }: AddedBox): Promise<unknown> {
  return (await imports.list()).find((box) => box.key === key);
}

describe('an image becomes a box with the same disk', () => {
  test.each([
    ['disk.qcow2', 'qcow2'],
    ['disk.vmdk', 'vmdk'],
    ['disk.vdi', 'vdi'],
    ['disk.vhd', 'vpc', '-o', 'force_size=on'],
    ['disk.vhdx', 'vhdx'],
  ])('%s', async (name, format, ...options) => {
    await imports.convert(name, format, ...options);
    const box = await imports.add(name);
    const sha256 = digest('sha256', await readFile(imports.at(name)));
    expect(box).toEqual({ name, version: sha256.slice(0, 12), key: sha256 });
    await expectDisk(box);
  });

  test('disk.raw, and what is told of it', async () => {
    const box = await imports.add('./disk.raw');
    await expectDisk(box);
    expect(await infoOf(box)).toMatchObject({
      name: 'disk.raw',
      user: 'vm',
      seed: 'cloud-init',
      boot: 'firmware',
      disk_bytes: diskBytes().length,
      source: `imported from ${imports.at('disk.raw')}`,
      machines: [],
    });
  });

  test.each([
    ['gzip', 'gz'],
    ['xz', 'xz'],
    ['zstd', 'zst'],
    ['bzip2', 'bz2'],
  ])('compressed with %s', async (program, end) => {
    await imports.run(program, '-k', '-q', 'disk.raw');
    await expectDisk(await imports.add(`disk.raw.${end}`));
  });

  test('alone in a tar.xz, to keep its holes', async () => {
    await imports.run('tar', '-S', '-cJf', 'disk.tar.xz', 'disk.raw');
    await expectDisk(await imports.add('disk.tar.xz'));
  });
});

describe('what is packed with a description becomes a box with the same disk', () => {
  test('an OVA', async () => {
    const { at, run, convert, add } = imports;
    await convert('app-disk001.vmdk', 'vmdk', '-o', 'subformat=streamOptimized');
    await writeFile(at('manual.pdf'), diskBytes(9));
    await writeFile(
      at('app.ovf'),
      `<Envelope xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
         <References>
           <File ovf:id="file1" ovf:href="app-disk001.vmdk"/><File ovf:id="file2" ovf:href="manual.pdf"/>
         </References>
         <DiskSection><Disk ovf:capacity="2" ovf:diskId="disk1" ovf:fileRef="file1"/></DiskSection>
       </Envelope>`,
    );
    await run('tar', '--format=ustar', '-cf', 'app.ova', 'app.ovf', 'manual.pdf', 'app-disk001.vmdk');
    const box = await add('app.ova');
    await expectDisk(box);
    expect(await infoOf(box)).toMatchObject({ name: 'app.ova', user: 'vm', seed: 'cloud-init' });
    expect((await readdir(dirname(imports.diskOf(box)))).sort()).toEqual(['box.json', 'disk.qcow2']);
  });

  test('a Vagrant box of the first format, of which its key is kept, and nothing else', async () => {
    const { makeBox, add, diskOf } = imports;
    const files = { 'metadata.json': BOX_METADATA, Vagrantfile: 'exit', vagrant_private_key: 'secret' };
    await makeBox('v1.box', files);
    const box = await add('v1.box');
    await expectDisk(box);
    expect(await infoOf(box)).toMatchObject({ name: 'v1.box', user: 'vagrant', seed: 'vagrant' });
    const dir = dirname(diskOf(box));
    expect((await readdir(dir)).sort()).toEqual(['box.json', 'disk.qcow2', 'vagrant_private_key']);
    expect(await readFile(join(dir, 'vagrant_private_key'), 'utf8')).toBe('secret');
    expect((await stat(join(dir, 'vagrant_private_key'))).mode & 0o777).toBe(0o600);
  });

  test('a Vagrant box of the second format', async () => {
    const { makeBox, add } = imports;
    await makeBox('v2.box', { 'metadata.json': metadataOf('root.img') }, ['root.img']);
    await expectDisk(await add('v2.box'));
  });
});

describe('what a box is called', () => {
  test('as it is told, once for each name and version', async () => {
    const { add, list } = imports;
    await add('disk.raw', '--name', 'team/router');
    await add('disk.raw', '--name', 'team/router', '--version', '1.10.0');
    await add('disk.raw', '--name', 'team/router', '--version', '1.9.0');
    await add('disk.raw', '--name', 'team/router', '--version', '1.9.0');
    const routers = (await list()).filter(({ name }) => name === 'team/router');
    expect(routers.map(({ version }) => version).sort()).toEqual(['0', '1.10.0', '1.9.0']);
  });

  // Without a version the last that was added; within one the highest.
  test.each([
    ['team/router', '1.9.0'],
    ['team/router@>= 0', '1.10.0'],
    ['team/router@~> 1.9.0', '1.9.0'],
    ['team/router@< 1', '0'],
  ])('a Machinefile finds as %s the version %s', async (box, version) => {
    const { project, list } = imports;
    await project.write('Machinefile', `machines: { m: { box: "${box}" } }`);
    const found = (await list()).find((listed) => listed.name === 'team/router' && listed.version === version);
    expect(await project.ok('up', '--dry-run')).toContain(`/boxes/${found?.key}/disk.qcow2`);
  });
});

describe('what is known is not read again', () => {
  test('the same file', async () => {
    const { at, addTelling, list } = imports;
    await writeFile(at('same.raw'), diskBytes(1));
    const [first, second] = [await addTelling('same.raw'), await addTelling('same.raw')];
    expect(first.events).toContainEqual({ type: 'progress', subject: 'same.raw', text: '100 %' });
    expect(second).toEqual({ events: [], box: first.box });
    expect((await list()).filter(({ name }) => name === 'same.raw')).toHaveLength(1);
  });

  test('unless its box was removed', async () => {
    const { project, addTelling } = imports;
    await project.ok('box', 'remove', 'same.raw');
    expect((await addTelling('same.raw')).events).not.toEqual([]);
  });

  test('a file that has changed makes another box', async () => {
    const { at, add, list } = imports;
    await writeFile(at('same.raw'), diskBytes(2));
    const { key } = await add('same.raw');
    expect(key).toBe(digest('sha256', diskBytes(2)));
    expect((await list()).filter(({ name }) => name === 'same.raw')).toHaveLength(2);
  });

  test('the same content under another file name is the same box', async () => {
    const { at, add } = imports;
    await writeFile(at('copy.raw'), diskBytes(2));
    expect((await add('copy.raw')).name).toBe('same.raw');
  });
});

test.each(['sha256', 'sha512'])('a file that is what its %s says', async (algorithm) => {
  const checksum = `${algorithm}:${digest(algorithm, diskBytes())}`;
  await expectDisk(await imports.add('disk.raw', '--checksum', checksum));
});
