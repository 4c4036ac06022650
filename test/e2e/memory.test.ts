import { readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { StateStore } from '../../src/machine/state-store.ts';
import { handleOf, type RecordedMachine } from '../../src/providers/provider.ts';
import { qemuProvider } from '../../src/providers/qemu/provider.ts';
import { changeByte } from '../support/change-byte.ts';
import { oneTiny } from '../support/machinefiles.ts';
import { TestProject } from '../support/test-project.ts';
import { mountTmpfs } from '../support/tmpfs.ts';

const isRoot = process.getuid?.() === 0;
const context = { reporter: { report: () => {} }, signal: new AbortController().signal };

async function recorded({ dir }: TestProject): Promise<RecordedMachine> {
  const states = new StateStore(dir);
  const record = await states.read('m');
  if (record === undefined) throw new Error('m does not exist');
  return { record, layout: states.layout('m') };
}

const bootId = (project: TestProject) => project.ok('exec', 'm', '--', 'cat', '/proc/sys/kernel/random/boot_id');

test('a memory is restored as often as its disks are as it left them, and refused when anything is another', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  await project.ok('up');
  const before = await bootId(project);
  const machine = await recorded(project);
  const files = machine.layout.memory;
  await qemuProvider.saveMemory(machine, files, context);
  expect(await qemuProvider.state(machine)).toMatchObject({ kind: 'paused', reason: 'postmigrate' });
  await qemuProvider.stop(handleOf(machine), { force: true }, context);

  const facts = await readFile(files.factsPath, 'utf8');
  const { bytes } = JSON.parse(facts);
  await changeByte(files.statePath, bytes / 2);
  expect(await qemuProvider.restoreMemory(machine, files, context)).toEqual({
    kind: 'refused',
    reason: 'the file that it was saved in is damaged',
  });
  await changeByte(files.statePath, bytes / 2);
  expect((await qemuProvider.state(machine)).kind).toBe('suspended');

  // A restore that came to nothing has touched no disk: the next one is as good as the first.
  for (const again of [false, true]) {
    expect(await qemuProvider.restoreMemory(machine, files, context), `again: ${again}`).toMatchObject({
      kind: 'restored',
    });
    expect(await qemuProvider.state(machine)).toMatchObject({ kind: 'restoring' });
    if (!again) await qemuProvider.stop(handleOf(machine), { force: true }, context);
  }
  await qemuProvider.unpause(machine);
  expect(await bootId(project)).toBe(before);
  await project.ok('exec', 'm', '--', 'sh', '-c', 'echo changed >/root/note; sync');
  await qemuProvider.stop(handleOf(machine), { force: true }, context);
  expect(await qemuProvider.restoreMemory(machine, files, context)).toEqual({
    kind: 'refused',
    reason: `the disk ${machine.layout.diskPath} has been written to since then`,
  });
  await truncate(files.statePath, 1000);
  expect(await qemuProvider.restoreMemory(machine, files, context)).toMatchObject({
    kind: 'refused',
    reason: expect.stringContaining('has 1000 bytes instead of'),
  });
});

test('a device that cannot be saved: QEMU’s reason, and the guest runs on', async () => {
  const machinefile = oneTiny('disks: [{ name: fast, size: 16MiB, bus: nvme }]');
  await using project = await TestProject.create({ files: { Machinefile: machinefile } });
  await project.ok('up');
  const machine = await recorded(project);
  await expect(qemuProvider.saveMemory(machine, machine.layout.memory, context)).rejects.toThrow(/nvme/);
  expect((await qemuProvider.state(machine)).kind).toBe('running');
  await bootId(project);
});

test.runIf(isRoot)('a disk that is full: said, nothing is left, and the guest runs on', async () => {
  await using small = await mountTmpfs('16m');
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  await project.ok('up');
  const machine = await recorded(project);
  const files = { statePath: join(small.dir, 'memory.state'), factsPath: join(small.dir, 'memory.json') };
  await expect(qemuProvider.saveMemory(machine, files, context)).rejects.toThrow('the disk is full');
  expect((await qemuProvider.state(machine)).kind).toBe('running');
  await bootId(project);
});
