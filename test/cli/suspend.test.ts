import { existsSync } from 'node:fs';
import { appendFile, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createImage } from '../support/images.ts';
import { TestProject } from '../support/test-project.ts';
import { tools } from '../support/tools.ts';

const MACHINEFILE = 'machines: { m: { box: ./disk.qcow2 } }';

let project: TestProject;
const at = (name: string) => join(project.dir, '.vm/machines/m', name);

beforeAll(async () => {
  project = await TestProject.create({
    files: { Machinefile: MACHINEFILE },
    tools: [tools.qemuImg, ...tools.fakeGuest],
  });
  await createImage(join(project.dir, 'disk.qcow2'));
  await project.ok('up');
});

afterAll(() => project[Symbol.asyncDispose]());

test('what is kept of a suspended machine is its own, and gone when it goes on', async () => {
  expect(await project.ok('suspend')).toBe('m is suspended\n');
  for (const name of ['memory.state', 'memory.json']) expect((await stat(at(name))).mode & 0o777).toBe(0o600);
  const { pid: pidBefore } = await project.status('m');
  expect(pidBefore).toBeNull();
  expect(await project.ok('resume')).toBe('m goes on where it was suspended\n');
  expect(await project.status('m')).toMatchObject({ state: 'running' });
  for (const name of ['memory.state', 'memory.json']) expect(existsSync(at(name))).toBe(false);
});

describe('a memory that does not fit: the machine is started from its disk, and the reason is said', () => {
  test.each<[what: string, change: () => Promise<unknown>, reason: string]>([
    ['a file that was cut off', () => truncate(at('memory.state'), 5), 'has 5 bytes instead of 34'],
    ['a file that is gone', () => rm(at('memory.state')), 'the file that it was saved in is gone'],
    [
      'a file that is damaged',
      async () => writeFile(at('memory.state'), (await readFile(at('memory.state'), 'utf8')).replace('guest', 'ghost')),
      'the file that it was saved in is damaged',
    ],
    ['facts that cannot be read', () => truncate(at('memory.json'), 5), 'what is kept of it cannot be read'],
    [
      'a disk that was written to',
      () => appendFile(at('disk.qcow2'), 'x'),
      'disk.qcow2 has been written to since then',
    ],
  ])('%s', async (_what, change, reason) => {
    await project.ok('suspend');
    await change();
    const { exitCode, stdout, stderr } = await project.vm('resume');
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: 'm is up, started from its disk\n' });
    expect(stderr).toContain('m: cannot go on where it was suspended, so what was in its memory is lost: ');
    expect(stderr).toContain(reason);
    expect(existsSync(at('memory.json'))).toBe(false);
  });

  test('what QEMU itself does not take', async () => {
    await project.ok('suspend');
    const env = { ...project.env, FAKE_QEMU_LAST_WORDS: 'load of migration failed' };
    const { stderr } = await project.vmWith(env, 'resume');
    expect(stderr).toContain('is lost: QEMU does not take it: load of migration failed');
  });

  test('a QEMU that dies without a word tells nothing of the memory, which is kept', async () => {
    await project.ok('up');
    await project.ok('suspend');
    const { exitCode } = await project.vmWith({ ...project.env, FAKE_QEMU_LAST_WORDS: '' }, 'resume');
    expect(exitCode).toBe(1);
    expect(await project.status('m')).toMatchObject({ state: 'suspended' });
    expect(await project.ok('resume')).toBe('m goes on where it was suspended\n');
  });

  test('another QEMU', async () => {
    await project.ok('suspend');
    const { exitCode, stderr } = await project.vmWith({ ...project.env, FAKE_QEMU_VERSION: '10.0.2' }, 'up');
    expect(exitCode).toBe(0);
    expect(stderr).toContain('is lost: it was saved by QEMU 9.2.0, and 10.0.2 is installed now');
    expect(await project.status('m')).toMatchObject({ state: 'running' });
  });

  test('without a Machinefile that says how, it is not started, and stays as it is', async () => {
    await project.ok('suspend');
    await truncate(at('memory.state'), 5);
    await project.write('Machinefile', 'machines: [');
    expect(await project.fails(1, 'resume')).toContain('m can only be started from its disk now');
    expect(await project.status('m')).toMatchObject({ state: 'suspended' });
    await project.write('Machinefile', MACHINEFILE);
    await project.ok('up');
  });
});

test('halt discards it, reload starts anew, and destroy leaves nothing', async () => {
  await project.ok('suspend');
  expect(await project.ok('halt')).toBe('m is stopped; what was in its memory when it was suspended is discarded\n');
  expect(await project.status('m')).toMatchObject({ state: 'stopped' });
  expect(await project.ok('suspend')).toBe('m was not running\n');
  expect(await project.ok('resume')).toBe('m is not suspended: vm up starts it\n');
  await project.ok('up');
  await project.ok('suspend');
  await project.ok('reload');
  expect(existsSync(at('memory.json'))).toBe(false);
  await project.ok('suspend');
  await project.ok('destroy', '--yes');
  expect(project.leftovers()).toEqual([]);
});
