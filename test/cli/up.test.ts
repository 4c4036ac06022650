import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, open, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { createImage } from '../support/images.ts';
import { TestProject } from '../support/test-project.ts';
import { tools } from '../support/tools.ts';

const runProgram = promisify(execFile);

const ON_DISK = 'machines: { m: { box: ./disk.qcow2 } }';

async function projectOnDisk(...programs: readonly string[]): Promise<TestProject> {
  const project = await TestProject.create({ files: { Machinefile: ON_DISK }, tools: programs });
  await createImage(join(project.dir, 'disk.qcow2'));
  return project;
}

/** What the box store holds, also what is not a box yet. */
async function boxesOf({ env }: TestProject): Promise<string[]> {
  const dir = join(String(env.VM_HOME), 'boxes');
  return existsSync(dir) ? readdir(dir) : [];
}

test('a QEMU that does not start: its words, the machine is there to look at, destroy leaves nothing', async () => {
  await using project = await projectOnDisk(tools.qemuImg, tools.failingQemu);
  const error = await project.fails(1, 'up');
  expect(error).toMatch(/^✔ m: create /m);
  expect(error).toMatch(/^✖ m: start failed /m);
  expect(error).toContain(
    'vm: m: QEMU did not start:\n  qemu-system-x86_64: -device frobnicator: not a valid device\n→ ',
  );
  expect(await project.status('m')).toMatchObject({ state: 'stopped' });
  expect(await project.ok('logs')).toBe('');
  expect(await project.fails(2, 'destroy')).toContain('Destroy m? What is on the disks is lost.');
  expect(await project.status('m')).toMatchObject({ state: 'stopped' });
  expect(await project.ok('destroy', '--yes')).toBe('m destroyed\n');
  expect(project.leftovers()).toEqual([]);
  expect(await readdir(join(String(project.env.VM_HOME), 'machines'))).toEqual([]);
});

test.each([
  { missing: 'qemu-system-x86_64', programs: [tools.qemuImg], fix: 'apt install qemu-system-x86' },
  { missing: 'qemu-img', programs: [tools.failingQemu], fix: 'vm doctor says what is missing and how to install it' },
])('without $missing: what is missing, how to get it, and nothing is left', async ({ missing, programs, fix }) => {
  await using project = await projectOnDisk(...programs);
  expect(await project.fails(1, 'up')).toContain(`vm: ${missing} is not installed\n→ ${fix}`);
  expect(project.leftovers()).toEqual([]);
});

test('a private key that cannot be used is found before anything is made', async () => {
  await using project = await TestProject.create({
    files: {
      Machinefile: 'machines: { m: { box: ./disk.qcow2, ssh: { private_key: ./key } } }',
      key: 'no key',
      'key.pub': 'no key',
    },
    tools: [tools.qemuImg, tools.failingQemu],
  });
  await createImage(join(project.dir, 'disk.qcow2'));
  await chmod(join(project.dir, 'key'), 0o600);
  expect(await project.fails(1, 'up')).toContain(`${project.dir}/key is not a private key that can be read`);
  expect(project.leftovers()).toEqual([]);
});

describe('up --dry-run', () => {
  test('makes nothing but the box, and says what would make the machine', async () => {
    await using project = await projectOnDisk(tools.qemuImg);
    const [{ commands }] = JSON.parse(await project.ok('up', '--dry-run', '--json'));
    expect(commands.map(({ file }: { file: string }) => file)).toEqual(['qemu-img', 'qemu-system-x86_64']);
    expect(await boxesOf(project)).toHaveLength(1);
    expect((await readdir(project.dir)).sort()).toEqual(['Machinefile', 'disk.qcow2']);
    expect(await project.ok('up', '--dry-run', '-q')).toMatch(/^# m\nqemu-img create .*\nqemu-system-x86_64 -name /);
  });

  test('pasted into a shell it is word by word what up runs, whatever the folder is called', async () => {
    await using outer = await TestProject.create({ files: {}, tools: [] });
    const dir = join(outer.dir, 'a b\'c"d,$HOME');
    await using project = await TestProject.create({
      files: { Machinefile: ON_DISK },
      tools: [tools.qemuImg, tools.printingQemu],
      dir,
    });
    await createImage(join(dir, 'disk.qcow2'));
    await project.fails(1, 'up');
    const ran = await readFile(join(dir, '.vm/machines/m/qemu.log'), 'utf8');
    const pasted = await runProgram('/bin/sh', ['-c', await project.ok('up', '--dry-run')], { env: project.env });
    expect(pasted.stdout).toBe(ran);
    const [{ commands }] = JSON.parse(await project.ok('up', '--dry-run', '--json'));
    expect(commands).toEqual([{ file: 'qemu-system-x86_64', args: ran.trimEnd().split('\n').slice(1) }]);
  });
});

describe('an image that is not what it says is refused, and nothing of it is kept', () => {
  test.each([
    {
      what: 'another file behind it',
      options: ['-b', '/etc/passwd', '-F', 'raw'],
      says: 'it stands on another file, /etc/passwd',
    },
    { what: 'its data elsewhere', options: ['-o', 'data_file=elsewhere.raw'], says: 'its data is in another file' },
  ])('$what', async ({ options, says }) => {
    await using project = await TestProject.create({ files: { Machinefile: ON_DISK }, tools: [tools.qemuImg] });
    await createImage(join(project.dir, 'disk.qcow2'), options);
    expect(await project.fails(1, 'up')).toContain(`disk.qcow2 cannot be used as a box: ${says}`);
    expect(await boxesOf(project)).toEqual([]);
    expect(project.leftovers()).toEqual([]);
  });

  test('an encrypted one', async () => {
    await using project = await projectOnDisk(tools.qemuImg);
    await using image = await open(join(project.dir, 'disk.qcow2'), 'r+');
    await image.write(Buffer.from([0, 0, 0, 2]), 0, 4, 32); // qcow2's field crypt_method: LUKS
    expect(await project.fails(1, 'up')).toContain('disk.qcow2 cannot be used as a box: it is encrypted');
    expect(await boxesOf(project)).toEqual([]);
  });

  test('a truncated one', async () => {
    await using project = await projectOnDisk(tools.qemuImg);
    await truncate(join(project.dir, 'disk.qcow2'), 130_000);
    expect(await project.fails(1, 'up')).toContain('disk.qcow2 is damaged or not whole\n→ get it again');
    expect(await boxesOf(project)).toEqual([]);
  });

  test('no image at all', async () => {
    await using project = await projectOnDisk(tools.qemuImg);
    await writeFile(join(project.dir, 'disk.qcow2'), 'plain text, longer than any header would have to be');
    expect(await project.fails(1, 'up')).toContain('disk.qcow2 is not a disk image\n→ known are qcow2, raw, ');
    expect(await boxesOf(project)).toEqual([]);
  });

  test('a file that is not there is a mistake in the Machinefile', async () => {
    await using project = await TestProject.create({ files: { Machinefile: ON_DISK }, tools: [] });
    expect(await project.fails(2, 'up')).toMatch(/^Machinefile:1:\d+: .*disk\.qcow2/);
  });
});
