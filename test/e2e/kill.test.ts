import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { oneTiny } from '../support/machinefiles.ts';
import { TestProject } from '../support/test-project.ts';

/** Kills a command after some milliseconds of work; gives false where it had ended before. */
async function killAfter(project: TestProject, ms: number, ...args: string[]): Promise<boolean> {
  const running = project.start(...args);
  await Promise.race([delay(ms), running.ended]);
  return running.child.kill('SIGKILL') && (await running.ended).signal === 'SIGKILL';
}

/** From before the first file is written to after the guest is up. */
const UP_INSTANTS_MS = [100, 200, 300, 500, 1_500, 4_000];

test('up, killed at any instant: the next up finishes, destroy leaves nothing', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  for (const ms of UP_INSTANTS_MS) {
    await killAfter(project, ms, 'up');
    expect((await project.status('m')).state).toMatch(/^(not_created|stopped|starting|running)$/);
    await project.ok('up');
    expect(await project.status('m'), `killed after ${ms} ms`).toMatchObject({ state: 'running' });
    await project.ok('destroy', '--yes');
    expect(project.leftovers(), `killed after ${ms} ms`).toEqual([]);
  }
});

test('up, killed at any instant: destroy alone leaves nothing', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  for (const ms of UP_INSTANTS_MS) {
    await killAfter(project, ms, 'up');
    await project.ok('destroy', '--yes');
    expect(project.leftovers(), `killed after ${ms} ms`).toEqual([]);
  }
});

test('halt, killed at any instant: the next halt finishes', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  for (const ms of [120, 250]) {
    await project.ok('up');
    await killAfter(project, ms, 'halt');
    await project.ok('halt');
    expect(await project.status('m'), `killed after ${ms} ms`).toMatchObject({ state: 'stopped' });
  }
  await project.ok('up');
});

test('destroy, killed at any instant: the next destroy finishes', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  for (const ms of [100, 140, 180]) {
    await project.ok('up');
    await killAfter(project, ms, 'destroy', '--yes');
    await project.ok('destroy', '--yes');
    expect(project.leftovers(), `killed after ${ms} ms`).toEqual([]);
  }
});

test('Ctrl-C during up says what stands, and up goes on from there', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  const running = project.start('up');
  await expect.poll(async () => (await project.status('m')).state, { timeout: 10_000 }).toBe('starting');
  running.child.kill('SIGINT');
  const interrupted = await running.ended;
  expect(interrupted.exitCode).toBe(130);
  expect(interrupted.stderr).toContain('m is starting');
  await project.ok('up');
  expect(await project.status('m')).toMatchObject({ state: 'running' });
});

test('QEMU, killed: the machine is stopped, and up starts it again', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  await project.ok('up');
  await project.ok('exec', 'm', '--', 'sh', '-c', 'echo kept > /root/data; sync');
  const { pid } = await project.status('m');
  process.kill(pid ?? 0, 'SIGKILL');
  await expect.poll(async () => (await project.status('m')).state).toBe('stopped');
  expect(await project.fails(1, 'exec', 'm', '--', 'true')).toContain('m is stopped');
  await project.ok('up');
  expect(await project.ok('exec', 'm', '--', 'cat', '/root/data')).toBe('kept\n');
});

test('QEMU, killed while the guest boots: up fails at once and says so', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  const running = project.start('up');
  await expect.poll(async () => (await project.status('m')).state, { timeout: 10_000 }).toBe('starting');
  const { pid } = await project.status('m');
  process.kill(pid ?? 0, 'SIGKILL');
  const failed = await running.ended;
  expect(failed).toMatchObject({ exitCode: 1 });
  expect(failed.stderr).toContain('QEMU ended');
  await project.ok('up');
});

test('two ups at once: one waits for the other, both succeed', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  const results = await Promise.all([project.vm('up', '--verbose'), project.vm('up', '--verbose')]);
  expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
  expect(results.map(({ stderr }) => stderr).join('')).toMatch(/waiting for vm up \(pid \d+\)/);
  const created = results.filter(({ stderr }) => /m: create \d/.test(stderr));
  expect(created).toHaveLength(1);
});
