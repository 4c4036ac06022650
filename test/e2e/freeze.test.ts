import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '../../src/host/exec.ts';
import { sha256OfFile } from '../../src/host/files.ts';
import { type FreezableDisk, overlayPathOf } from '../../src/machine/frozen-disk.ts';
import { StateStore } from '../../src/machine/state-store.ts';
import type { RecordedMachine } from '../../src/providers/provider.ts';
import { qemuProvider } from '../../src/providers/qemu/provider.ts';
import { TestProject } from '../support/test-project.ts';

const context = { reporter: { report: () => {} }, signal: new AbortController().signal };

async function machineOf(project: TestProject): Promise<RecordedMachine> {
  const states = new StateStore(project.dir);
  const record = await states.read('m');
  if (record === undefined) throw new Error('there is no machine m');
  return { record, layout: states.layout('m') };
}

/** Below the project, because they go with it. */
async function disksInto(project: TestProject, name: string, { layout }: RecordedMachine): Promise<FreezableDisk[]> {
  const dir = join(project.dir, name);
  await mkdir(dir);
  return [
    { id: 'root', path: layout.diskPath, frozenPath: join(dir, 'disk.qcow2') },
    { id: 'own-data', path: layout.ownDiskPath({ name: 'data', format: 'qcow2' }), frozenPath: join(dir, 'own.qcow2') },
  ];
}

test('disks are frozen while the machine runs, again and again; what is left of a killed freeze is settled', async () => {
  await using project = await TestProject.create({
    files: {
      Machinefile: 'machines: { m: { box: tiny, memory: 256MiB, disks: [{ name: data, size: 64MiB }] } }\n',
    },
  });
  await project.ok('up');
  const machine = await machineOf(project);
  await project.ok('exec', 'm', '--', 'sh', '-c', 'echo one > /root/one; echo raw > /dev/vdb; sync');

  const first = await disksInto(project, 'frozen-11111111', machine);
  await qemuProvider.freezeDisks(machine, first, context);
  const digests = await Promise.all(first.map(({ frozenPath }) => sha256OfFile(frozenPath)));
  await project.ok('exec', 'm', '--', 'sh', '-c', 'echo two > /root/two; rm /root/one; sync');

  const second = await disksInto(project, 'frozen-22222222', machine);
  await qemuProvider.freezeDisks(machine, second, context);
  expect(await qemuProvider.settleFreeze(machine, second)).toBe('frozen');

  // As a vm leaves it that is killed after QEMU has switched over: before the first name is set right, and in between.
  for (const renamed of [0, 1]) {
    const killed = await disksInto(project, `frozen-3333333${renamed}`, machine);
    await qemuProvider.freezeDisks(machine, killed, context);
    for (const { path, frozenPath } of killed) await rename(frozenPath, path);
    for (const { path, frozenPath } of killed.slice(0, renamed)) await rename(path, frozenPath);
    expect(await qemuProvider.state(machine)).toMatchObject({ kind: 'running' });
    expect(await qemuProvider.settleFreeze(machine, killed)).toBe('frozen');
    expect(killed.every(({ path, frozenPath }) => existsSync(path) && existsSync(frozenPath))).toBe(true);
  }

  // And before QEMU has switched over: overlays are there, and it knows nothing of them.
  const early = await disksInto(project, 'frozen-44444444', machine);
  for (const disk of early) {
    const args = ['create', '-q', '-u', '-f', 'qcow2', '-b', disk.frozenPath, '-F', 'qcow2', overlayPathOf(disk), '1G'];
    await run({ file: 'qemu-img', args }, { signal: context.signal });
  }
  expect(await qemuProvider.settleFreeze(machine, early)).toBe('untouched');
  expect(early.some((disk) => existsSync(overlayPathOf(disk)))).toBe(false);

  await project.ok('exec', 'm', '--', 'sh', '-c', 'test ! -e /root/one && echo three > /root/three && sync');
  await project.ok('halt');
  expect(await Promise.all(first.map(({ frozenPath }) => sha256OfFile(frozenPath)))).toEqual(digests);
  await project.ok('up');
  const seen = await project.ok('exec', 'm', '--', 'sh', '-c', 'cat /root/two /root/three; head -c 3 /dev/vdb');
  expect(seen).toBe('two\nthree\nraw');
});

test('a disk that cannot be written stops a freeze, and the machine is as before', async () => {
  await using project = await TestProject.create({
    files: { Machinefile: 'machines: { m: { box: tiny, memory: 256MiB } }\n' },
  });
  await project.ok('up');
  const machine = await machineOf(project);
  const [disk] = await disksInto(project, 'frozen-55555555', machine);
  if (disk === undefined) throw new Error('there is a root disk');
  const unknown = { ...disk, id: 'own-gone' };
  await expect(qemuProvider.freezeDisks(machine, [disk, unknown], context)).rejects.toThrow('does not know its disk');
  expect(existsSync(disk.frozenPath) || existsSync(overlayPathOf(disk))).toBe(false);
  const before = await readFile(machine.layout.hypervisorLogPath, 'utf8');
  expect(before).toBe('');
  await project.ok('exec', 'm', '--', 'sh', '-c', 'echo fine > /root/fine && sync');
  await rm(join(project.dir, 'frozen-55555555'), { recursive: true });
});
