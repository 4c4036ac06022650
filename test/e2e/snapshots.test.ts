import { readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { changeByte } from '../support/change-byte.ts';
import { oneTiny } from '../support/machinefiles.ts';
import { TestProject } from '../support/test-project.ts';
import { mountTmpfs } from '../support/tmpfs.ts';

const isRoot = process.getuid?.() === 0;

const inGuest = (project: TestProject, script: string) => project.ok('exec', 'm', '--', 'sh', '-c', script);
const bootId = (project: TestProject) => inGuest(project, 'cat /proc/sys/kernel/random/boot_id');
const note = (project: TestProject, text: string) => inGuest(project, `echo ${text} >/root/note; sync`);
const readNote = (project: TestProject) => inGuest(project, 'cat /root/note');

interface Listed {
  readonly snapshot: string;
  readonly parent: string | null;
  readonly current: boolean;
  readonly memory: boolean;
}

async function listed(project: TestProject): Promise<Listed[]> {
  const { snapshots } = JSON.parse(await project.ok('snapshot', 'list', 'm', '--json')) as { snapshots: Listed[] };
  return snapshots;
}

/** The only snapshot's folder. */
async function snapshotDir(project: TestProject): Promise<string> {
  const dir = join(project.dir, '.vm/machines/m/snapshots');
  const [id = ''] = await readdir(dir);
  return join(dir, id);
}

/** Kills a command some milliseconds after it has begun a phase. Gives whether it left something to be ended. */
async function killIn(project: TestProject, phase: string, ms: number, ...args: string[]): Promise<boolean> {
  const running = project.start('--json', ...args);
  let told = '';
  const begun = new Promise<void>((resolve) => {
    running.child.stdout?.on('data', (text: string) => {
      told += text;
      if (told.includes(`"phase":"${phase}","status":"started"`)) resolve();
    });
  });
  await Promise.race([begun.then(() => delay(ms)), running.ended]);
  running.child.kill('SIGKILL');
  await running.ended;
  const record = await readFile(join(project.dir, '.vm/machines/m/record.json'), 'utf8');
  const { state } = await project.status('m');
  return /savingSnapshot|restoring/.test(record) || state !== 'running';
}

test('a machine goes back and forth between snapshots, with its memory and without, also after halt', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  await project.ok('up');
  await note(project, 'one');
  await inGuest(project, 'echo remembered >/dev/shm/memory');
  const first = await bootId(project);
  expect(await project.ok('snapshot', 'save', 'one')).toContain('with its memory');
  expect(await bootId(project), 'it runs on').toBe(first);
  await note(project, 'two');
  expect(await project.ok('snapshot', 'save', 'm', 'two', '--no-memory')).toContain('of its disks');
  await note(project, 'three');

  expect(await project.ok('snapshot', 'restore', 'one', '--yes')).toContain('goes on from the snapshot one');
  expect(await bootId(project)).toBe(first);
  expect(await readNote(project)).toBe('one\n');
  expect(await inGuest(project, 'cat /dev/shm/memory')).toBe('remembered\n');
  const guestMs = Number(await inGuest(project, 'date +%s')) * 1000;
  expect(Math.abs(Date.now() - guestMs)).toBeLessThan(5_000);

  await note(project, 'other');
  await project.ok('halt');
  await project.ok('snapshot', 'save', 'm', 'other');
  expect((await listed(project)).map(({ snapshot, parent, current }) => [snapshot, parent, current])).toEqual([
    ['one', null, false],
    ['two', 'one', false],
    ['other', 'one', true],
  ]);
  expect(await project.ok('snapshot', 'restore', 'one', '--yes')).toContain('goes on from the snapshot one');
  expect(await bootId(project), 'of a machine that was halted, as often as one likes').toBe(first);

  // What stands on it, and the machine, stay as they are.
  await project.ok('snapshot', 'delete', 'one', '--yes');
  expect((await listed(project)).map(({ snapshot, parent }) => [snapshot, parent])).toEqual([
    ['two', null],
    ['other', null],
  ]);
  expect(await project.ok('snapshot', 'restore', 'm', 'two', '--yes')).toContain('started from the disks');
  expect(await readNote(project)).toBe('two\n');
  for (const name of ['two', 'other']) await project.ok('snapshot', 'delete', name, '--yes');
  expect(await project.ok('snapshot', 'list')).toBe('m has no snapshots\n');
  expect(await readNote(project)).toBe('two\n');
});

test('pop goes back to what was pushed last; memory is refused beside a volume', async () => {
  await using project = await TestProject.create({
    files: { Machinefile: `${oneTiny('volumes: ["data:/data"]')}volumes: { data: { size: 16MiB } }\n` },
  });
  await project.ok('up');
  await note(project, 'one');
  expect(await project.fails(1, 'snapshot', 'push')).toContain('has the volume data, which is not part of a snapshot');
  await project.ok('snapshot', 'push', '--no-memory');
  await inGuest(project, 'echo two >/root/note; echo kept >/data/note; sync');
  expect(await project.fails(2, 'snapshot', 'pop')).toContain('There is no terminal to ask on');
  await project.ok('snapshot', 'pop', '--yes');
  expect(await readNote(project)).toBe('one\n');
  expect(await inGuest(project, 'cat /data/note')).toBe('kept\n');
  expect(await project.fails(1, 'snapshot', 'pop', '--yes')).toContain('no snapshot that was pushed');
});

test('damaged: memory is said and the disks are booted; frozen disks are refused, and the machine runs on', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  await project.ok('up');
  await note(project, 'one');
  const first = await bootId(project);
  await project.ok('snapshot', 'save', 'one');
  await note(project, 'two');
  const dir = await snapshotDir(project);
  await changeByte(join(dir, 'memory.state'), (await stat(join(dir, 'memory.state'))).size / 2);
  const restored = await project.vm('snapshot', 'restore', 'one', '--yes');
  expect(restored, restored.stderr).toMatchObject({ exitCode: 0 });
  expect(restored.stderr).toContain('is damaged');
  expect(restored.stdout).toContain('started from the disks of the snapshot');
  expect(await readNote(project)).toBe('one\n');
  const second = await bootId(project);
  expect(second).not.toBe(first);

  await project.ok('snapshot', 'save', 'm', 'later', '--no-memory');
  await rename(join(dir, 'root.qcow2'), join(dir, 'elsewhere'));
  expect(await project.fails(1, 'snapshot', 'restore', 'one', '--yes')).toContain('the snapshot one of m is damaged');
  await rename(join(dir, 'elsewhere'), join(dir, 'root.qcow2'));
  expect(await bootId(project)).toBe(second);
});

/** From before anything is written to after the guest runs on. */
const INSTANTS_MS = [0, 60, 150, 300, 500, 800];

test('save and restore, killed at any instant: done or not, and the machine is whole', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  await project.ok('up');
  const first = await bootId(project);
  const unsettled = { save: 0, restore: 0 };
  for (const ms of INSTANTS_MS) {
    await note(project, `saved-${ms}`);
    if (await killIn(project, 'snapshot', ms, 'snapshot', 'save', 'm', `at-${ms}`)) unsettled.save++;
    await project.ok('up');
    expect(await bootId(project), `killed after ${ms} ms`).toBe(first);
    expect(await readNote(project)).toBe(`saved-${ms}\n`);
  }
  for (const { snapshot } of await listed(project)) await project.ok('snapshot', 'delete', snapshot, '--yes');
  await note(project, 'one');
  await project.ok('snapshot', 'save', 'm', 'one');
  for (const ms of INSTANTS_MS) {
    await note(project, 'two');
    if (await killIn(project, 'go back', ms, 'snapshot', 'restore', 'm', 'one', '--yes')) unsettled.restore++;
    await project.ok('up');
    expect(await readNote(project), `killed after ${ms} ms`).toMatch(/^(one|two)\n$/);
  }
  await project.ok('snapshot', 'restore', 'm', 'one', '--yes');
  expect([await bootId(project), await readNote(project)]).toEqual([first, 'one\n']);
  expect(unsettled.save, 'kills that left a save to be ended').toBeGreaterThan(0);
  expect(unsettled.restore, 'kills that left a restore to be ended').toBeGreaterThan(0);
});

test.runIf(isRoot)('a disk that is full: said, nothing is left, and the guest runs on', async () => {
  await using small = await mountTmpfs('400m');
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() }, dir: join(small.dir, 'p') });
  await project.ok('up');
  const first = await bootId(project);
  await small.resize('40m');
  expect(await project.fails(1, 'snapshot', 'save')).toContain('the disk is full');
  expect(await listed(project)).toEqual([]);
  expect(await readdir(join(project.dir, '.vm/machines/m/snapshots'))).toEqual([]);
  expect(await bootId(project)).toBe(first);
  await small.resize('400m');
  await project.ok('snapshot', 'save', 'm', 'one');
  expect(await bootId(project)).toBe(first);
});
