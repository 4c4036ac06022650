import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { oneTiny, tinies } from '../support/machinefiles.ts';
import { TestProject } from '../support/test-project.ts';

test('a machine lives: up, exec, halt, up with its data, destroy', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  expect(await project.status('m')).toMatchObject({ state: 'not_created', pid: null, ssh: null });

  await project.ok('up');
  expect(await project.status('m')).toMatchObject({ state: 'running', ssh: { host: '127.0.0.1', user: 'root' } });
  expect(await project.ok('exec', 'm', '--', 'hostname')).toBe('m\n');
  expect(await project.vm('exec', 'm', '--', 'sh', '-c', 'exit 7')).toMatchObject({ exitCode: 7 });
  await project.ok('exec', 'm', '--', 'sh', '-c', 'echo kept > /root/data');

  await project.ok('halt');
  expect(await project.status('m')).toMatchObject({ state: 'stopped', pid: null });
  await project.ok('up');
  expect(await project.ok('exec', 'm', '--', 'cat', '/root/data')).toBe('kept\n');

  await project.ok('destroy', '--yes');
  expect(project.leftovers()).toEqual([]);
});

test('up is idempotent: the second one changes nothing', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  await project.ok('up');
  const { pid } = await project.status('m');
  const again = await project.ok('up', '--json');
  expect(JSON.parse(again.trim().split('\n').at(-1) ?? '')).toMatchObject({
    machines: [{ machine: 'm', created: false, started: false, steps_run: [] }],
  });
  expect((await project.status('m')).pid).toBe(pid);
});

test('identity: own key, pinned host key, private files', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  await project.ok('up');
  const machineDir = join(project.dir, '.vm/machines/m');
  expect((await stat(machineDir)).mode & 0o777).toBe(0o700);
  for (const file of ['id_ed25519', 'ssh_host_ed25519_key', 'record.json', 'seed.tar']) {
    expect((await stat(join(machineDir, file))).mode & 0o777, file).toBe(0o600);
  }
  const hostKey = (await readFile(join(machineDir, 'ssh_host_ed25519_key.pub'), 'utf8')).split(' ')[1];
  expect(await project.ok('exec', 'm', '--', 'cat', '/run/machinefile/ssh_host_ed25519_key.pub')).toContain(hostKey);
  expect(await readFile(join(project.dir, '.vm/.gitignore'), 'utf8')).toBe('*\n');
});

test('several machines come up, answer and stop together', async () => {
  await using project = await TestProject.create({ files: { Machinefile: tinies('a', 'b', 'c') } });
  await project.ok('up');
  const all = await project.vm('exec', '*', '--', 'hostname');
  expect(all).toMatchObject({ exitCode: 0 });
  expect(all.stdout.split('\n').filter(Boolean).sort()).toEqual(['a | a', 'b | b', 'c | c']);
  await project.ok('halt', 'a', 'b');
  const states = JSON.parse(await project.ok('status', '--json')) as { machine: string; state: string }[];
  expect(states.map(({ machine, state }) => `${machine} ${state}`)).toEqual(['a stopped', 'b stopped', 'c running']);
});

test('reload applies settings that a running machine cannot take; up says which', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  await project.ok('up');
  await project.write('Machinefile', oneTiny('cpus: 2, disk: 3GiB'));
  expect((await project.vm('up')).stderr).toContain('changed since it was started: cpus, disk');
  await project.ok('reload');
  expect(await project.ok('exec', 'm', '--', 'nproc')).toBe('2\n');
  const kilobytes = await project.ok('exec', 'm', '--', 'sh', '-c', "df -k / | tail -n 1 | awk '{ print $2 }'");
  expect(Number(kilobytes)).toBeGreaterThan(2.7 * 1024 ** 2);
});

test('halt, ssh-config, exec, status and destroy work without a readable Machinefile', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  await project.ok('up');
  await project.write('Machinefile', 'machines: [this is not it\n');
  expect(await project.status('m')).toMatchObject({ state: 'running' });
  expect(await project.ok('exec', 'm', '--', 'hostname')).toBe('m\n');
  expect(await project.ok('ssh-config')).toContain('Host m');
  expect(await project.fails(2, 'up')).toMatch(/^Machinefile:\d+:\d+: /);
  await rm(join(project.dir, 'Machinefile'));
  await project.ok('halt');
  expect(await project.status('m')).toMatchObject({ state: 'stopped' });
});

test('the serial console is logged, and the log follows the machine', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  await project.ok('up');
  expect(await project.ok('logs')).not.toBe('');
  const following = project.start('logs', '-f');
  let seen = '';
  const heard = new Promise<void>((resolve) => {
    following.child.stdout?.on('data', (text: string) => {
      seen += text;
      if (seen.includes('spoken to the console')) resolve();
    });
  });
  await project.ok('exec', 'm', '--', 'sh', '-c', 'echo spoken to the console > /dev/ttyS0');
  await heard;
  following.child.kill('SIGINT');
  expect(await following.ended).toMatchObject({ exitCode: 130 });
});
