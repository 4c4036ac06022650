import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { createImage } from '../support/images.ts';
import { TestProject } from '../support/test-project.ts';
import { tools } from '../support/tools.ts';

const runProgram = promisify(execFile);

const MIB = 2 ** 20;

const machinefile = (size = '16MiB') => `
name: shop
defaults: { box: ./disk.qcow2 }
machines:
  db: { volumes: ["data:/srv/data"] }
  spare: { autostart: false, volumes: ["data:/mnt"] }
volumes: { data: { size: ${size} } }
`;

async function createProject(programs: readonly string[] = tools.fakeGuest): Promise<TestProject> {
  const project = await TestProject.create({
    files: { Machinefile: machinefile() },
    tools: [tools.qemuImg, ...programs],
  });
  await createImage(join(project.dir, 'disk.qcow2'));
  return project;
}

const pathIn = ({ dir }: TestProject, file: string) => join(dir, '.vm/volumes/data', file);

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

test('a volume is made once, belongs to one running machine at a time, and outlives its machines', async () => {
  await using project = await createProject();
  const [made] = (await project.ok('up', '--dry-run')).match(/^\S*mkfs\.ext4 .*$/m) ?? [];
  expect(made).toContain(`-L vm-data -U `);
  expect(made).toContain(`${pathIn(project, 'volume.raw')} 16384k`);

  const { stderr, exitCode } = await project.vm('up');
  expect(exitCode, stderr).toBe(0);
  expect(stderr).toContain('db: made the volume data, 16MiB, which vm destroy keeps\n');
  expect(stderr).toMatch(/^✔ db: volumes /m);
  const record = await readFile(pathIn(project, 'volume.json'), 'utf8');
  expect(await stat(pathIn(project, 'volume.raw'))).toMatchObject({ size: 16 * MIB });
  expect(await Promise.all(['', 'volume.json', 'volume.raw'].map((file) => modeOf(pathIn(project, file))))).toEqual([
    '700',
    '600',
    '600',
  ]);
  const { pid } = await project.status('db');
  expect(await readFile(`/proc/${pid}/cmdline`, 'utf8')).toContain('drive=volume-vm-data,serial=vm-data\0');

  expect(await project.fails(1, 'up', 'spare')).toContain(
    'vm: spare: the volume data is attached to db of the project shop, which runs\n→ one machine at a time can have it: vm halt db',
  );
  expect(await project.status('spare')).toMatchObject({ state: 'not_created' });
  expect(await project.fails(1, 'volume', 'rm', 'data', '--yes')).toContain(
    'vm: the volume data is attached to db, which runs\n→ vm halt db gives it up',
  );
  expect(await project.fails(1, 'destroy', 'spare', '--volumes', '--yes')).toContain('data is attached to db');
  expect(await project.ok('volume', 'ls')).toMatch(
    /^VOLUME .*\ndata +16 MiB +\S+ KiB +db spare +db +\d{4}-\d\d-\d\d\n$/,
  );

  expect(await project.ok('destroy', '--yes')).toBe(
    'db destroyed\nvolumes kept: data (vm destroy --volumes removes it)\n',
  );
  await rm(join(project.dir, 'Machinefile'));
  expect(await project.ok('volume', 'list')).toMatch(/^data .* unused +- +\d{4}/m);
  await project.write('Machinefile', machinefile());
  await project.ok('up', 'spare');
  expect(await readFile(pathIn(project, 'volume.json'), 'utf8')).toBe(record);

  expect(await project.fails(2, 'destroy', '--volumes')).toContain(
    'Destroy spare, and the volume data? What is on disks and volumes is lost.',
  );
  expect(await project.ok('destroy', '--volumes', '--yes')).toBe('spare, the volume data destroyed\n');
  expect(project.leftovers()).toEqual([]);
});

test('a volume grows, does not shrink, and is never made in place of one that is gone', async () => {
  await using project = await createProject([tools.failingQemu]);
  const dataPath = pathIn(project, 'volume.raw');
  /** QEMU does not start, but before that volumes are seen to. */
  const upSays = () => project.fails(1, 'up');
  await upSays();
  await project.write('Machinefile', machinefile('24000001B'));
  expect(await upSays()).toContain('QEMU did not start');
  expect((await stat(dataPath)).size).toBe(24_002_560);
  await project.write('Machinefile', machinefile('20MiB'));
  expect(await upSays()).toContain(
    'db: the volume data has 23440KiB and volumes: asks for 20MiB; a volume cannot shrink\n→ set its size back, or',
  );
  await project.write('Machinefile', machinefile().replace('size: 16MiB', ''));
  expect(await upSays()).toContain('QEMU did not start');
  expect((await stat(dataPath)).size).toBe(24_002_560);

  await rename(dataPath, join(project.dir, 'copy'));
  expect(await upSays()).toContain(`the volume data is damaged: ${dataPath} is gone\n→ restore it from a copy; or`);
  expect(existsSync(dataPath)).toBe(false);
  expect(await project.ok('volume', 'list')).toMatch(/^data \(damaged\) +- /m);
  expect(await project.ok('volume', 'inspect', 'data')).toContain(`problem         ${dataPath} is gone\n`);

  expect(await project.fails(2, 'volume', 'rm', 'dta')).toContain(
    'there is no volume “dta” (allowed: data; did you mean “data”?)',
  );
  expect(await project.fails(2, 'volume', 'rm', 'data')).toContain('Remove the volume data? What is on it is lost.');
  expect(await project.ok('volume', 'remove', 'data', '--yes')).toBe('data removed\n');
  expect(existsSync(join(project.dir, '.vm/volumes'))).toBe(false);
});

test('up, killed while it makes a volume: there is none, and destroy leaves nothing', async () => {
  await using project = await createProject([tools.blockingMkfs, tools.failingQemu]);
  const [begun, end] = ['begun', 'end'].map((name) => join(project.dir, name)) as [string, string]; // two names, two paths
  await runProgram('mkfifo', [begun, end]);
  const up = project.startWith({ ...project.env, BLOCKING_BEGUN: begun, BLOCKING_END: end }, 'up');
  await readFile(begun);
  up.child.kill('SIGKILL');
  await up.ended;
  await writeFile(end, 'go on\n');
  expect(await project.ok('volume', 'list', '--json')).toBe('[]\n');
  expect(await readdir(join(project.dir, '.vm/volumes'))).toEqual(['.creating-data']);
  await project.ok('destroy', '--yes');
  expect(project.leftovers()).toEqual([]);
});
