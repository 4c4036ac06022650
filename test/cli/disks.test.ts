import { execFile } from 'node:child_process';
import { open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createImage } from '../support/images.ts';
import { TestProject } from '../support/test-project.ts';
import { tools } from '../support/tools.ts';

const runProgram = promisify(execFile);

const MIB = 2 ** 20;
const DATA = '{ name: data, size: 4MiB, format: raw }';
const SCRATCH = '{ name: scratch, size: 8MiB }';

const machinefile = (...disks: readonly string[]) =>
  `machines: { m: { box: ./disk.qcow2, disks: [${disks.join(', ')}] } }\n`;

async function projectWith(...disks: readonly string[]): Promise<TestProject> {
  const project = await TestProject.create({
    files: { Machinefile: machinefile(...disks) },
    tools: [tools.qemuImg, ...tools.fakeGuest],
  });
  await createImage(join(project.dir, 'disk.qcow2'));
  return project;
}

const pathIn = ({ dir }: TestProject, file: string) => join(dir, '.vm/machines/m', file);

/** Stops the machine, changes its disks in the Machinefile, and brings it up again. */
async function upAgainWith(project: TestProject, ...disks: readonly string[]) {
  await project.ok('halt');
  await project.write('Machinefile', machinefile(...disks));
  return project.vm('up');
}

async function diskFiles({ dir }: TestProject): Promise<string[]> {
  return (await readdir(join(dir, '.vm/machines/m'))).filter((name) => name.startsWith('own-')).sort();
}

/** As a guest would, which nobody starts here. */
async function writeInto(path: string, text: string): Promise<void> {
  await using file = await open(path, 'r+');
  await file.write(text, 0);
}

async function qemuArguments(project: TestProject): Promise<string> {
  const { pid } = await project.status('m');
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
}

async function virtualSize(path: string): Promise<number> {
  const { stdout } = await runProgram(tools.qemuImg, ['info', '--force-share', '--output=json', path]);
  return JSON.parse(stdout)['virtual-size'];
}

test('disks are made with the machine, kept by restarts and removed with it', async () => {
  await using project = await projectWith(DATA);
  await project.ok('up');
  const dataPath = pathIn(project, 'own-data.raw');
  expect((await stat(dataPath)).size).toBe(4 * MIB);
  expect(await qemuArguments(project)).toContain('virtio-blk-pci,id=own-data-disk,drive=own-data,serial=data ');
  await writeInto(dataPath, 'precious');

  await project.write('Machinefile', machinefile(DATA, SCRATCH));
  const { stderr } = await project.vm('up');
  expect(stderr).toContain('warning: m: changed since it was started: disks; vm reload m applies it');
  expect(await diskFiles(project)).toEqual(['own-data.raw']);

  await project.ok('reload');
  expect(await diskFiles(project)).toEqual(['own-data.raw', 'own-scratch.qcow2']);
  expect(await virtualSize(pathIn(project, 'own-scratch.qcow2'))).toBe(8 * MIB);
  expect(await qemuArguments(project)).toContain('drive=own-scratch,serial=scratch ');
  expect((await readFile(dataPath, 'utf8')).slice(0, 8)).toBe('precious');

  await project.ok('destroy', '--yes');
  expect(project.leftovers()).toEqual([]);
});

test('a disk that is taken out stays, which is said, and comes back with what is on it', async () => {
  await using project = await projectWith(DATA, SCRATCH);
  await project.ok('up');
  const dataPath = pathIn(project, 'own-data.raw');
  await writeInto(dataPath, 'precious');

  for (const _again of [1, 2]) {
    const { exitCode, stderr } = await upAgainWith(project, SCRATCH);
    expect(exitCode).toBe(0);
    expect(stderr).toContain(
      `warning: m: the disk data is not in “disks” any more, so it is not attached; what is on it stays in ${dataPath} until vm destroy`,
    );
    expect(await qemuArguments(project)).not.toContain('own-data');
  }
  expect((await upAgainWith(project, SCRATCH, DATA)).stderr).not.toContain('warning');
  expect(await qemuArguments(project)).toContain('serial=data ');
  expect((await readFile(dataPath, 'utf8')).slice(0, 8)).toBe('precious');
});

test('a disk grows, on another bus too, and keeps what is on it', async () => {
  await using project = await projectWith(DATA, SCRATCH);
  await project.ok('up');
  await writeInto(pathIn(project, 'own-data.raw'), 'precious');
  await upAgainWith(project, '{ name: data, size: 5MiB, format: raw, bus: usb }', '{ name: scratch, size: 9000001B }');
  expect(await readFile(pathIn(project, 'own-data.raw'), 'utf8')).toMatch(/^precious\0/);
  expect((await stat(pathIn(project, 'own-data.raw'))).size).toBe(5 * MIB);
  expect(await virtualSize(pathIn(project, 'own-scratch.qcow2'))).toBe(9_000_448);
  expect(await qemuArguments(project)).toContain('usb-storage,bus=usb.0,port=1,id=own-data-disk');
  // What is not a number of whole sectors is no smaller than itself.
  expect(await project.ok('reload')).toContain('m is up again');
});

describe('what would lose data is refused, and leaves it as it is', () => {
  test.each([
    {
      what: 'a smaller size',
      disk: '{ name: data, size: 3MiB, format: raw }',
      says: 'm: the disk data has 4MiB and disks: asks for 3MiB; a disk cannot shrink\n→ set its size back, or give it another name',
    },
    {
      what: 'another format',
      disk: '{ name: data, size: 4MiB, format: qcow2 }',
      says: 'm: the disk data was made as raw and disks: asks for qcow2\n→ set its format back to raw, or give it another name',
    },
  ])('$what', async ({ disk, says }) => {
    await using project = await projectWith(DATA);
    await project.ok('up');
    await writeInto(pathIn(project, 'own-data.raw'), 'precious');
    const { exitCode, stderr } = await upAgainWith(project, disk);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(says);
    expect(await project.status('m')).toMatchObject({ state: 'stopped' });
    expect(await diskFiles(project)).toEqual(['own-data.raw']);
    expect((await readFile(pathIn(project, 'own-data.raw'), 'utf8')).slice(0, 8)).toBe('precious');
    expect(await upAgainWith(project, DATA)).toMatchObject({ exitCode: 0 });
  });

  test('a disk that is gone, until it is restored', async () => {
    await using project = await projectWith(DATA);
    await project.ok('up');
    const dataPath = pathIn(project, 'own-data.raw');
    await project.ok('halt');
    await rename(dataPath, join(project.dir, 'copy'));
    expect(await project.fails(1, 'up')).toContain(
      `m: the disk data is gone: ${dataPath}\n→ restore the file from a copy; or`,
    );
    expect(await diskFiles(project)).toEqual([]);
    await rename(join(project.dir, 'copy'), dataPath);
    await project.ok('up');
  });

  test('a disk that is gone, until it is taken out of the Machinefile', async () => {
    await using project = await projectWith(DATA);
    await project.ok('up');
    await rm(pathIn(project, 'own-data.raw'));
    expect((await upAgainWith(project)).stderr).not.toContain('warning');
    await upAgainWith(project, DATA);
    expect(await diskFiles(project)).toEqual(['own-data.raw']);
  });
});

test('up --dry-run shows what makes disks, also those that are new', async () => {
  await using project = await projectWith(DATA);
  const created = () => project.ok('up', '--dry-run').then((text) => text.match(/^qemu-img create .*own-.*$/gm));
  expect(await created()).toEqual([`qemu-img create -q -f raw ${pathIn(project, 'own-data.raw')} ${4 * MIB}`]);
  await project.ok('up');
  expect(await created()).toBeNull();
  await project.write('Machinefile', machinefile(DATA, SCRATCH));
  expect(await created()).toEqual([`qemu-img create -q -f qcow2 ${pathIn(project, 'own-scratch.qcow2')} ${8 * MIB}`]);
  expect(await diskFiles(project)).toEqual(['own-data.raw']);
});

test('a package has the disks of the box only, which is said', async () => {
  await using project = await projectWith(DATA, SCRATCH);
  const withVolume = machinefile(DATA, SCRATCH).replace('disks:', 'volumes: ["kept:/srv"], disks:');
  await project.write('Machinefile', `${withVolume}volumes: { kept: { size: 16MiB } }\n`);
  await project.ok('up');
  const { exitCode, stderr } = await project.vm('package', '--as-is', '--output', 'm.raw');
  expect(stderr).toContain(
    'warning: m: what is on its own disks (data, scratch) and its volumes (kept) is not packaged',
  );
  expect(exitCode).toBe(0);
});
