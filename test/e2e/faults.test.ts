import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findTool } from '../../src/host/exec.ts';
import { takePort } from '../support/host-ports.ts';
import { oneTiny } from '../support/machinefiles.ts';
import { TestProject } from '../support/test-project.ts';
import { mountTmpfs } from '../support/tmpfs.ts';

const isRoot = process.getuid?.() === 0;

test('a host port that is taken: a clear error, or another port where that is allowed', async () => {
  await using taken = await takePort(0);
  await using project = await TestProject.create({
    files: { Machinefile: oneTiny(`ports: ["${taken.port}:80"]`) },
  });
  const error = await project.fails(1, 'up');
  expect(error).toContain(`host port ${taken.port} is already in use`);
  expect(error).toContain('auto_correct');
  await project.write('Machinefile', oneTiny(`ports: [{ guest: 80, host: ${taken.port}, auto_correct: true }]`));
  await project.ok('up');
  const [forward] = (await project.status('m')).ports;
  expect(forward).toMatchObject({ host_ip: '127.0.0.1', guest: 80 });
  expect(forward?.host).not.toBe(taken.port);
});

/** Runs before QEMU, in its place on PATH: takes the port that was chosen for the machine, once, then becomes QEMU. */
const THIEF = `#!${process.execPath}
const { spawn, spawnSync } = require('node:child_process');
const { existsSync, writeFileSync } = require('node:fs');
const args = process.argv.slice(2);
const port = /hostfwd=tcp:127\\.0\\.0\\.1:(\\d+)-:80/.exec(args.join(' '))?.[1];
const marker = __dirname + '/stolen';
const become = () => process.exit(spawnSync('REAL', args, { stdio: 'inherit' }).status ?? 1);
if (port === undefined || existsSync(marker)) become();
writeFileSync(marker, port);
require('node:net').createServer().listen(Number(port), '127.0.0.1', become);
`;

test('a chosen port that is taken when QEMU binds it: ports are chosen again', async () => {
  const real = findTool('qemu-system-x86_64') ?? '';
  await using project = await TestProject.create({ files: { Machinefile: oneTiny('ports: ["80"]') } });
  await project.write('bin/qemu-system-x86_64', THIEF.replace('REAL', real), 0o755);
  const env = { ...project.env, PATH: `${join(project.dir, 'bin')}:${project.env.PATH}` };
  const result = await project.vmWith(env, 'up', '--json');
  expect(result, result.stdout).toMatchObject({ exitCode: 0 });
  expect(await readFile(join(project.dir, 'bin/stolen'), 'utf8')).toMatch(/^\d+$/);
  expect((await project.status('m')).ports).toMatchObject([{ guest: 80 }]);
});

test('a stale pid file whose pid is now somebody else: the machine is stopped, and nobody is harmed', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  await project.ok('up');
  await project.ok('halt');
  await writeFile(join(project.dir, '.vm/machines/m/qemu.pid'), `${process.pid}\n`);
  expect(await project.status('m')).toMatchObject({ state: 'stopped', pid: null });
  await project.ok('halt', '--force');
  await project.ok('up');
  expect((await project.status('m')).pid).not.toBe(process.pid);
});

test('a damaged record: status says broken, destroy removes the machine and its process', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  await project.ok('up');
  await truncate(join(project.dir, '.vm/machines/m/record.json'), 20);
  expect(await project.status('m')).toMatchObject({ state: 'broken' });
  expect(await project.fails(1, 'up')).toContain('vm destroy m');
  await project.ok('destroy', '--yes');
  expect(project.leftovers()).toEqual([]);
});

test('a disk that is gone or no disk any more: broken, with the way out', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  await project.ok('up');
  await project.ok('halt');
  const diskPath = join(project.dir, '.vm/machines/m/disk.qcow2');
  await truncate(diskPath, 10);
  expect(await project.fails(1, 'up')).toContain('is not a qcow2 disk any more');
  await rm(diskPath);
  expect(await project.status('m')).toMatchObject({ state: 'broken' });
  expect(await project.fails(1, 'up')).toContain('vm up --recreate m');
  await project.ok('up', '--recreate', '--yes');
});

test.runIf(isRoot)('a full disk while a machine is created: a clear error, nothing left', async () => {
  await using full = await mountTmpfs('128k');
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() }, dir: full.dir });
  await writeFile(join(full.dir, 'filler'), Buffer.alloc(120 * 1024)).catch(() => {});
  expect(await project.fails(1, 'up')).toMatch(/disk is full|No space left/);
  await rm(join(full.dir, 'filler'));
  expect(await project.status('m')).toMatchObject({ state: 'not_created' });
});

test.runIf(isRoot)(
  'a disk that fills while the guest writes: the guest is held, and runs on when there is room',
  async () => {
    await using small = await mountTmpfs('64m');
    await using project = await TestProject.create({ files: { Machinefile: oneTiny() }, dir: small.dir });
    await project.ok('up');
    const writing = project.start(
      'exec',
      'm',
      '--',
      'sh',
      '-c',
      'head -c 90000000 /dev/urandom > /root/big; sync; echo ok',
    );
    await expect
      .poll(() => project.status('m'), { timeout: 120_000, interval: 500 })
      .toMatchObject({ state: 'suspended', reason: 'io-error' });
    await small.resize('512m');
    await project.ok('up');
    expect(await writing.ended).toMatchObject({ exitCode: 0, stdout: 'ok\n' });
  },
);

test.runIf(isRoot)('a project folder that cannot be written: a clear error', async () => {
  await using readOnly = await mountTmpfs('1m');
  await writeFile(join(readOnly.dir, 'Machinefile'), oneTiny());
  await readOnly.makeReadOnly();
  await using project = await TestProject.create({ files: {}, dir: readOnly.dir });
  const error = await project.fails(1, 'up');
  expect(error).toContain('read-only');
  expect(error).toContain('→');
});

test('a project path with spaces, quotes, commas, percent signs and unicode', async () => {
  const name = 'a b\'c"d,e%f$HOME ünï';
  await using project = await TestProject.create({
    files: { Machinefile: oneTiny('sync: [./data:/srv/data]'), 'data/file': 'synced\n' },
    name,
  });
  await project.ok('up');
  expect(await project.ok('exec', 'm', '--', 'cat', '/srv/data/file')).toBe('synced\n');
  await project.ok('reload');
  await project.ok('destroy', '--yes');
  expect(project.leftovers()).toEqual([]);
});

test('a runtime folder too long for sockets is replaced by a short one', async () => {
  const env = { XDG_RUNTIME_DIR: `/tmp/${'x'.repeat(90)}` };
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() }, env });
  await project.ok('up');
  expect(await project.ok('exec', 'm', '--', 'hostname')).toBe('m\n');
});

test('a guest whose kernel panics: up fails at once with the console text', async () => {
  await using project = await TestProject.create({
    files: {
      Machinefile: oneTiny('qemu: { args: [-append, "console=ttyS0 rdinit=/nonexistent root=/dev/nonexistent"] }'),
    },
  });
  const error = await project.fails(1, 'up');
  expect(error).toContain('Kernel panic');
  expect(error).toContain('vm logs m');
  expect(await project.status('m')).toMatchObject({ state: 'starting' });
});

test('a guest that shows another host key is not trusted', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  await project.ok('up');
  const keyPath = join(project.dir, '.vm/machines/m/ssh_host_ed25519_key.pub');
  const foreign = (await readFile(keyPath, 'utf8')).replace(
    /AAAAC3NzaC1lZDI1NTE5AAAAI..../,
    'AAAAC3NzaC1lZDI1NTE5AAAAIAAAA',
  );
  await project.ok('halt');
  await writeFile(keyPath, foreign);
  expect(await project.fails(1, 'up')).toContain('host key');
});
