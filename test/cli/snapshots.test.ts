import { execFileSync } from 'node:child_process';
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createImage } from '../support/images.ts';
import { TestProject } from '../support/test-project.ts';
import { tools } from '../support/tools.ts';

/** A machine that is stopped, on real disks. */
async function stoppedMachine(settings = ''): Promise<TestProject> {
  const machinefile = `machines: { web: { box: ./disk.qcow2${settings} } }\n`;
  const project = await TestProject.create({
    files: { Machinefile: machinefile },
    tools: [tools.qemuImg, ...tools.decompressors, ...tools.fakeGuest],
  });
  await createImage(join(project.dir, 'disk.qcow2'));
  await project.ok('up');
  await project.ok('halt');
  return project;
}

const machineDir = ({ dir }: TestProject) => join(dir, '.vm/machines/web');

/** The files that the root disk stands on, itself first. @throws where one is not there. */
function chainOf(project: TestProject): string[] {
  const args = ['info', '--backing-chain', '--output=json', join(machineDir(project), 'disk.qcow2')];
  const chain = JSON.parse(execFileSync('qemu-img', args, { encoding: 'utf8' })) as { filename: string }[];
  return chain.map(({ filename }) => filename);
}

interface Listing {
  readonly snapshots: readonly { readonly snapshot: string; readonly current: boolean }[];
}

async function names(project: TestProject): Promise<string[]> {
  const { snapshots } = JSON.parse(await project.ok('snapshot', 'list', '--json')) as Listing;
  return snapshots.map(({ snapshot }) => snapshot);
}

test('the disks of a stopped machine are kept, gone back to, and go with the last that stands on them', async () => {
  await using project = await stoppedMachine(', disks: [{ name: data, size: 64MiB }]');
  const before = chainOf(project).length;
  await project.ok('snapshot', 'save', 'one');
  await project.ok('snapshot', 'save', 'web', 'two', '--description', 'second');
  expect(chainOf(project)).toHaveLength(before + 2);
  expect(await project.ok('snapshot', 'list')).toMatch(/└─ one .*\n {3}└─ \* two .*: second\n/);

  await project.ok('snapshot', 'restore', 'one', '--yes');
  expect(chainOf(project)).toHaveLength(before + 1);
  expect((await project.status('web')).state).toBe('stopped');
  await project.ok('snapshot', 'delete', 'one', '--yes');
  expect(chainOf(project), 'the machine stands on it').toHaveLength(before + 1);
  expect(await names(project)).toEqual(['two']);
  await project.ok('snapshot', 'restore', 'two', '--yes');
  await project.ok('snapshot', 'delete', 'two', '--yes');
  expect(await project.ok('snapshot', 'list')).toBe('web has no snapshots\n');
  expect(await readdir(join(machineDir(project), 'snapshots')), 'the disk stands on both').toHaveLength(2);
});

test('a project that is moved keeps its snapshots', async () => {
  await using project = await stoppedMachine();
  for (const name of ['one', 'two']) await project.ok('snapshot', 'save', name);
  const movedDir = `${project.dir}-moved`;
  await rename(project.dir, movedDir);
  const moved = await TestProject.create({ files: {}, dir: movedDir, env: project.env as Record<string, string> });
  expect(chainOf(moved).every((path) => !path.startsWith(`${project.dir}/`))).toBe(true);
  await moved.ok('snapshot', 'restore', 'one', '--yes');
  expect(chainOf(moved).every((path) => !path.startsWith(`${project.dir}/`))).toBe(true);
  await rename(movedDir, project.dir);
  await rm(join(movedDir), { recursive: true, force: true });
});

test('killed at any instant: a snapshot is there or not, and the machine has gone back or not', async () => {
  await using project = await stoppedMachine();
  await project.ok('snapshot', 'save', 'web', 'first');
  for (let ms = 150; ms <= 600; ms += 50) {
    for (const args of [
      ['save', 'web', `at-${ms}`],
      ['restore', 'web', 'first', '--yes'],
    ]) {
      const running = project.start('snapshot', ...args);
      await Promise.race([delay(ms), running.ended]);
      running.child.kill('SIGKILL');
      await running.ended;
      // Takes the lock, and so ends what was begun.
      await project.ok('halt');
      expect(chainOf(project).length, `${args[0]} after ${ms} ms`).toBeGreaterThan(1);
      const record = JSON.parse(await readFile(join(machineDir(project), 'record.json'), 'utf8'));
      expect(record).not.toHaveProperty('savingSnapshot');
      expect(record).not.toHaveProperty('restoring');
    }
  }
  await project.ok('snapshot', 'restore', 'first', '--yes');
  for (const name of await names(project)) await project.ok('snapshot', 'delete', 'web', name, '--yes');
  // A start removes what killed commands have left beside the disks.
  await project.ok('up');
  const left = await readdir(machineDir(project));
  expect(left.filter((name) => name.includes('.on-'))).toEqual([]);
  expect(await readdir(join(machineDir(project), 'snapshots'))).toHaveLength(1);
});

test('what cannot be done is refused, with the reason', async () => {
  await using project = await stoppedMachine();
  expect(await project.fails(1, 'snapshot', 'restore', '--yes')).toContain('web has no snapshots');
  await project.ok('snapshot', 'save', 'one');
  expect(await project.fails(1, 'snapshot', 'save', 'one')).toContain('web has a snapshot called one already');
  expect(await project.fails(2, 'snapshot', 'save', 'no/name')).toContain('is no name for a snapshot');
  expect(await project.fails(1, 'snapshot', 'restore', 'on', '--yes')).toContain('did you mean “one”');
  expect(await project.fails(2, 'snapshot', 'restore', 'one')).toContain('There is no terminal to ask on');
  expect(await project.fails(1, 'snapshot', 'pop', '--yes')).toContain('no snapshot that was pushed');

  const [id = ''] = await readdir(join(machineDir(project), 'snapshots'));
  const frozen = join(machineDir(project), 'snapshots', id, 'root.qcow2');
  await rename(frozen, `${frozen}.away`);
  expect(await project.fails(1, 'snapshot', 'restore', 'one', '--yes')).toContain('the snapshot one of web is damaged');
  await rename(`${frozen}.away`, frozen);
  await project.ok('snapshot', 'restore', 'one', '--yes');
});

test('a raw disk can be stood on by nothing', async () => {
  await using project = await stoppedMachine(', disks: [{ name: data, size: 16MiB, format: raw }]');
  expect(await project.fails(1, 'snapshot', 'save')).toContain('its disk data is raw');
});

test('a box that is made of a machine with snapshots stands on the machine’s box alone', async () => {
  await using project = await stoppedMachine();
  await project.ok('snapshot', 'save', 'one');
  await project.ok('package', 'web', '--as-is', '--name', 'copy');
  const boxes = JSON.parse(await project.ok('box', 'info', 'copy', '--json')) as { path: string }[];
  expect(JSON.stringify(boxes)).toContain('copy');
  const boxesDir = join(String(project.env.VM_HOME), 'boxes');
  for (const key of await readdir(boxesDir)) {
    const args = ['info', '--output=json', join(boxesDir, key, 'disk.qcow2')];
    const info = execFileSync('qemu-img', args, { encoding: 'utf8' });
    expect(info).not.toContain('snapshots');
  }
  await project.ok('destroy', '--yes');
});
