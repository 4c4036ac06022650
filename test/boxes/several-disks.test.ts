import { readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pushBox } from '../../src/boxes/oci/push.ts';
import { type AddedBox, diskBytes, type Imports, openImports } from '../support/box-imports.ts';
import { startRegistry } from '../support/docker-registry.ts';
import { TestProject } from '../support/test-project.ts';
import { tools } from '../support/tools.ts';
import { facts, openPushing } from './oci/pushing.ts';

const MIB = 2 ** 20;

/** Disks of different content and size, by their names without `.raw`. */
const DISKS = {
  root: diskBytes(1),
  data: Buffer.concat([diskBytes(2), Buffer.alloc(MIB)]),
  logs: Buffer.concat([diskBytes(3), Buffer.alloc(2 * MIB)]),
};
type DiskName = keyof typeof DISKS;

let imports: Imports;

beforeAll(async () => {
  imports = await openImports();
  for (const [name, content] of Object.entries(DISKS)) await writeFile(imports.at(`${name}.raw`), content);
});

afterAll(() => imports[Symbol.asyncDispose]());

const convert = (name: DiskName, format: string, dest: string, ...options: string[]) =>
  imports.run(tools.qemuImg, 'convert', '-f', 'raw', '-O', format, ...options, `${name}.raw`, dest);

/** The box is made of these disks, in this order. */
async function expectDisks(box: AddedBox, root: DiskName, ...others: readonly DiskName[]): Promise<void> {
  const boxDir = dirname(imports.diskOf(box));
  const files = ['disk.qcow2', ...others.map((_name, i) => `disk-${i + 1}.qcow2`)];
  expect((await readdir(boxDir)).filter((name) => name.startsWith('disk')).sort()).toEqual([...files].sort());
  for (const [i, name] of [root, ...others].entries()) {
    const disk = join(boxDir, files[i] ?? '');
    const { stdout } = await imports.run(tools.qemuImg, 'compare', '-f', 'raw', '-F', 'qcow2', `${name}.raw`, disk);
    expect(stdout).toBe('Images are identical.\n');
  }
  const info = (await imports.list()).find(({ key }) => key === box.key);
  expect(info).toMatchObject({
    disk_bytes: DISKS[root].length,
    extra_disk_bytes: others.map((name) => DISKS[name].length),
  });
}

/** An OVA of two disks, the first of which is listed last. */
async function addOva(): Promise<AddedBox> {
  const { at, run, add } = imports;
  for (const name of ['root', 'data'] as const) {
    await convert(name, 'vmdk', `${name}.vmdk`, '-o', 'subformat=streamOptimized');
  }
  const attached = (disk: string, place: number) =>
    `<Item><rasd:AddressOnParent>${place}</rasd:AddressOnParent><rasd:HostResource>ovf:/disk/${disk}</rasd:HostResource>
       <rasd:Parent>3</rasd:Parent><rasd:ResourceType>17</rasd:ResourceType></Item>`;
  await writeFile(
    at('app.ovf'),
    `<Envelope xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
       <References><File ovf:id="f1" ovf:href="data.vmdk"/><File ovf:id="f2" ovf:href="root.vmdk"/></References>
       <DiskSection><Disk ovf:diskId="d1" ovf:fileRef="f1"/><Disk ovf:diskId="d2" ovf:fileRef="f2"/></DiskSection>
       <VirtualSystem ovf:id="app"><VirtualHardwareSection>
         ${attached('d1', 1)}${attached('d2', 0)}
       </VirtualHardwareSection></VirtualSystem>
     </Envelope>`,
  );
  await run('tar', '--format=ustar', '-cf', 'app.ova', 'app.ovf', 'data.vmdk', 'root.vmdk');
  return add('app.ova');
}

test('a Vagrant box has its disks in the order of its description', async () => {
  const { at, run, add, project } = imports;
  const names = { root: 'z.img', data: 'more.img', logs: 'a.img' };
  for (const [name, dest] of Object.entries(names)) await convert(name as DiskName, 'qcow2', dest); // as declared above
  const disks = [{ path: './z.img' }, { path: 'more.img', name: 'data' }, { path: 'a.img' }];
  await writeFile(at('metadata.json'), JSON.stringify({ provider: 'libvirt', format: 'qcow2', disks }));
  await run('tar', '-S', '-czf', 'three.box', './a.img', './metadata.json', './more.img', './z.img');
  const box = await add('three.box');
  await expectDisks(box, 'root', 'data', 'logs');
  const info = await project.ok('box', 'info', 'three.box');
  expect(info).toContain(`\nextra_disk  ${3 * MIB}\nextra_disk  ${4 * MIB}`);
});

test('an OVA has its disks in the order of its machine', async () => {
  await expectDisks(await addOva(), 'root', 'data');
});

test('a machine stands on every disk of its box, and is broken without one', async () => {
  const { key } = await addOva();
  await using project = await TestProject.create({
    files: { Machinefile: `machines: { m: { box: "${imports.at('app.ova')}", disk: 64MiB } }\n` },
    tools: [tools.qemuImg, ...tools.fakeGuest],
  });
  const machineDir = join(project.dir, '.vm/machines/m');
  const boxDir = join(String(project.env.VM_HOME), 'boxes', key);
  const [{ commands }] = JSON.parse(await project.ok('up', '--dry-run', '--json'));
  const describeCreate = (file: string, bytes: number) => ({
    file: 'qemu-img',
    args: [
      'create',
      '-q',
      '-f',
      'qcow2',
      '-b',
      join(boxDir, file),
      '-F',
      'qcow2',
      join(machineDir, file),
      String(bytes),
    ],
  });
  expect(commands.slice(0, -1)).toEqual([
    describeCreate('disk.qcow2', 64 * MIB),
    describeCreate('disk-1.qcow2', DISKS.data.length),
  ]);
  await project.ok('up');
  await project.ok('halt');
  for (const [file, bytes] of [
    ['disk.qcow2', 64 * MIB],
    ['disk-1.qcow2', DISKS.data.length],
  ] as const) {
    const { stdout } = await imports.run(tools.qemuImg, 'info', '--output=json', join(machineDir, file));
    expect(JSON.parse(stdout)).toMatchObject({ 'virtual-size': bytes, 'backing-filename': join(boxDir, file) });
  }
  const diskPath = join(machineDir, 'disk-1.qcow2');
  await rm(diskPath);
  expect(await project.status('m')).toMatchObject({ state: 'broken', reason: `its disk ${diskPath} is gone` });
  expect(await project.fails(1, 'up')).toContain(`vm: m cannot be started: its disk ${diskPath} is gone\n`);
});

describe('in a registry', () => {
  test('a box with several disks comes back as it was', async () => {
    const { project } = imports;
    await using registry = await startRegistry();
    const url = `oci://${registry.name}/team/app:1`;
    await project.ok('box', 'push', (await addOva()).key, url);
    const lines = (await project.ok('box', 'pull', '--json', url)).trimEnd().split('\n');
    const pulled = JSON.parse(lines.at(-1) ?? '');
    expect(pulled).toMatchObject({ name: `${registry.name}/team/app`, version: '1' });
    await expectDisks(pulled, 'root', 'data');
  });

  const lies: readonly [what: string, size: string, options: readonly string[], says: string][] = [
    [
      'refers to a file of the host',
      '1M',
      ['-b', '/etc/passwd', '-F', 'raw'],
      'cannot be used as a box: it stands on another file, /etc/passwd',
    ],
    ['has another size than is told', '2M', [], 'is not what its description says'],
  ];

  test.each(lies)(
    'a further disk that %s is refused, and nothing of the box is kept',
    async (_what, size, options, says) => {
      const { project, at, run, kept } = imports;
      await using registry = await startRegistry();
      await using pushing = await openPushing();
      const reference = `${registry.name}/team/app:1`;
      await convert('root', 'qcow2', 'good.qcow2');
      await run(tools.qemuImg, 'create', '-q', '-f', 'qcow2', ...options, 'bad.qcow2', size);
      const described = {
        ...facts,
        arch: process.arch === 'arm64' ? 'aarch64' : 'x86_64',
        virtualSizeBytes: DISKS.root.length,
        extraDisks: [{ virtualSizeBytes: MIB }],
      } as const;
      const files = { 'disk.qcow2': at('good.qcow2'), 'disk-1.qcow2': at('bad.qcow2') };
      const context = { reporter: { report() {} }, signal: new AbortController().signal };
      await pushBox({ facts: described, files }, pushing.open(reference, 'push'), { context, subject: 'app' });
      const before = await kept();
      const error = await project.fails(1, 'box', 'pull', '-q', `oci://${reference}`);
      expect(error).toContain(`vm: disk-1.qcow2 of ${reference} ${says}\n`);
      expect(await kept()).toEqual(before);
    },
  );
});
