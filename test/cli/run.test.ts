import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createImage } from '../support/images.ts';
import { runVm } from '../support/run-vm.ts';
import { TestProject } from '../support/test-project.ts';
import { tools } from '../support/tools.ts';

/** A folder with a disk image, and no Machinefile unless given. */
async function createFolder(files: Readonly<Record<string, string>> = {}): Promise<TestProject> {
  const folder = await TestProject.create({
    files,
    env: { FROM_HOST: 'seen' },
    tools: [tools.qemuImg, ...tools.fakeGuest, '/bin/sh', '/bin/cat'],
  });
  await createImage(join(folder.dir, 'disk.qcow2'));
  return folder;
}

function runsDir({ env }: TestProject): string {
  return join(String(env.VM_HOME), 'runs');
}

async function runsOf(folder: TestProject): Promise<string[]> {
  return existsSync(runsDir(folder)) ? readdir(runsDir(folder)) : [];
}

describe('what cannot be asked for', () => {
  test.each([
    { args: ['tiny'], says: 'no command to run, and no terminal for a shell\n→ vm run BOX -- COMMAND' },
    { args: ['-d', '--rm', 'tiny'], says: 'nobody would be there to remove the machine' },
    { args: ['-d', 'tiny', '--', 'true'], says: '→ vm run --detach tiny prints its name' },
    { args: ['-d', '-it', 'tiny'], says: '--detach excludes --interactive and --tty' },
    { args: ['tiny:1', '--', 'true'], says: '“tiny:1” is not a box' },
    { args: ['-w', 'srv', 'tiny', '--', 'true'], says: 'must be an absolute path in the guest' },
    { args: ['--cpus', 'two', 'tiny', '--', 'true'], says: 'must be a number of processors from 1 to 512' },
    { args: ['--name', '../up', 'tiny', '--', 'true'], says: '“../up” is not a name of a machine' },
    { args: ['-e', 'NOT_SET_HERE', 'tiny', '--', 'true'], says: 'the variable NOT_SET_HERE is not set here' },
    { args: ['-v', './data', 'tiny', '--', 'true'], says: 'is not an absolute path in the guest' },
    {
      args: ['-v', '.:/srv:ro', 'tiny', '--', 'true'],
      says: 'rsync copies to the guest only, so “:ro” has no meaning',
    },
    { args: ['-v', './gone:/srv', './disk.qcow2', '--', 'true'], says: '/gone' },
    { args: ['-p', '8080:http', './disk.qcow2', '--', 'true'], says: '“8080:http” is not a port' },
    { args: ['-e', '1=2', './disk.qcow2', '--', 'true'], says: '“1”' },
    { args: ['-e', 'A=#1', './disk.qcow2', '--', 'true'], says: 'without #' },
    { args: ['--memory', 'much', './disk.qcow2', '--', 'true'], says: '“much” is not a size' },
  ])('$args', async ({ args, says }) => {
    await using folder = await createFolder();
    expect(await folder.fails(2, 'run', ...args)).toContain(says);
    expect(await runsOf(folder)).toEqual([]);
  });

  test('--json without --detach', async () => {
    await using folder = await createFolder();
    const { exitCode, stdout } = await folder.vm('run', './disk.qcow2', '--json', '--', 'true');
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ message: expect.stringContaining('--json goes with --detach') });
  });

  test('a box that nobody has: nothing is left, with --rm and without', async () => {
    await using folder = await createFolder();
    for (const options of [[], ['--rm'], ['-d']]) {
      const command = options[0] === '-d' ? [] : ['--', 'true'];
      expect(await folder.fails(1, 'run', ...options, 'nosuch', ...command)).toContain('nosuch');
    }
    expect(await runsOf(folder)).toEqual([]);
  });
});

test('halted at the end, it stays, and other commands know its name in any folder', async () => {
  await using folder = await createFolder();
  const result = await folder.vm(
    'run',
    '--name',
    'once',
    './disk.qcow2',
    '--',
    'sh',
    '-c',
    'echo "$1"; exit 3',
    'sh',
    '$x',
  );
  expect(result).toMatchObject({ exitCode: 3, stdout: '$x\n' });
  expect(result.stderr).toBe('once: is halted: vm up once starts it again, vm destroy once removes it\n');
  expect(JSON.parse(await folder.ok('status', 'once', '--json'))).toMatchObject([
    { machine: 'once', state: 'stopped' },
  ]);
  expect(await folder.ok('list', '--runs')).toMatch(/^once +stopped .*\/runs\/once$/m);
  expect(await folder.ok('completion', 'machines')).toBe('once\n');
  expect(await folder.fails(2, 'run', '--name', 'once', './disk.qcow2', '--', 'true')).toContain(
    'there is a run called once already\n→ vm destroy once removes it',
  );
  await folder.ok('up', 'once');
  expect(await folder.ok('exec', 'once', '--', 'echo', 'again')).toBe('again\n');
  expect(await folder.ok('destroy', 'once', '--yes')).toBe('once destroyed\n');
  expect(await runsOf(folder)).toEqual([]);
  expect(await folder.fails(2, 'status', 'once')).toContain('no Machinefile');
});

test('what the options say is what its Machinefile says', async () => {
  await using folder = await createFolder({ 'a$b/file': 'x' });
  const options = ['-p', '127.0.0.1:0080:80', '-v', 'a$b:/srv/$x', '-e', 'A=$HOME "b" 1.10', '-e', 'FROM_HOST'];
  const size = ['--memory', '1GiB', '--cpus', '2', '--no-network', '-w', '/'];
  await folder.ok('run', ...options, ...size, '--name', 'once', './disk.qcow2', '--', 'true');
  const machinefile = join(runsDir(folder), 'once', 'Machinefile');
  expect((await stat(machinefile)).mode & 0o777).toBe(0o600);
  expect((await stat(join(runsDir(folder), 'once'))).mode & 0o777).toBe(0o700);
  const { machines } = JSON.parse(await folder.ok('config', '--json', '-f', machinefile));
  expect(machines.once).toMatchObject({
    box: { path: join(folder.dir, 'disk.qcow2') },
    memory: '1GiB',
    cpus: 2,
    isolated: true,
    ports: [{ host: 80, guest: 80 }],
    sync: [{ host: join(folder.dir, 'a$$b'), guest: '/srv/$$x' }],
    environment: { A: '$$HOME "b" 1.10', FROM_HOST: 'seen' },
  });
  await folder.ok('destroy', 'once', '--yes');
});

test('standard input is that of the command only with -i', async () => {
  await using folder = await createFolder();
  const call = (...options: string[]) =>
    runVm({
      args: ['run', '--rm', ...options, './disk.qcow2', '--', 'cat'],
      cwd: folder.dir,
      env: folder.env,
      input: 'hi\n',
    });
  expect(await call('-i')).toMatchObject({ exitCode: 0, stdout: 'hi\n', stderr: '' });
  expect(await call()).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
  expect(await runsOf(folder)).toEqual([]);
});

test('a machine of the project here comes before a run of its name', async () => {
  await using folder = await createFolder();
  await folder.ok('run', '-d', '--name', 'web', './disk.qcow2');
  await folder.ok('run', '-d', '--name', 'other', './disk.qcow2');
  await folder.write('Machinefile', 'machines: { web: { box: ./disk.qcow2 }, db: { box: ./disk.qcow2 } }');
  expect(JSON.parse(await folder.ok('status', 'web', '--json'))).toMatchObject([{ state: 'not_created' }]);
  expect(JSON.parse(await folder.ok('status', 'other', '--json'))).toMatchObject([{ state: 'running' }]);
  expect(await folder.fails(2, 'status', 'other', '-f', 'Machinefile')).toContain('no machine is called other');
  expect(await folder.fails(2, 'halt', 'db', 'other')).toContain('db, other are of several projects');
  await folder.write('Machinefile', 'machines: [');
  expect(await folder.fails(2, 'halt', 'other')).toMatch(/^Machinefile:1/);
  for (const name of ['web', 'other']) {
    await folder.vmWith(
      { ...folder.env, PWD: '/' },
      'destroy',
      '--yes',
      '-f',
      join(runsDir(folder), name, 'Machinefile'),
    );
  }
  expect(await runsOf(folder)).toEqual([]);
});

test('killed: what was to be removed is, by the next run; what was to stay does', async () => {
  await using folder = await createFolder();
  const start = async (...options: string[]) => {
    const vm = folder.start('run', ...options, './disk.qcow2', '--', 'sh', '-c', 'echo begun; cat </dev/zero');
    await new Promise((resolve) => vm.child.stdout?.once('data', resolve));
    vm.child.kill('SIGKILL');
    // Ends what the command writes to.
    vm.child.stdout?.destroy();
    await new Promise((resolve) => vm.child.once('exit', resolve));
  };
  await start('--name', 'kept');
  await start('--rm', '--name', 'gone');
  expect((await runsOf(folder)).sort()).toEqual(['gone', 'kept']);
  await folder.ok('run', '--rm', './disk.qcow2', '--', 'true');
  expect(await runsOf(folder)).toEqual(['kept']);
  await folder.ok('destroy', 'kept', '--yes');
  expect(await runsOf(folder)).toEqual([]);
});
