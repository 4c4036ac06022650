import { expect, test } from 'vitest';
import type { MachineStats } from '../../src/operations/stats/machine-stats.ts';
import type { MachineUsage } from '../../src/operations/usage/usage-document.ts';
import { oneTiny } from '../support/machinefiles.ts';
import { TestProject } from '../support/test-project.ts';

const WRITTEN_BYTES = 8 * 1024 ** 2;

test('what a guest does is measured, and billed after halt, the death of QEMU, and destroy', async () => {
  await using project = await TestProject.create({ files: { Machinefile: oneTiny() } });
  const inGuest = (script: string) => project.ok('exec', 'm', '--', 'sh', '-ec', script);
  const usage = async () => {
    const [machine, ...others] = JSON.parse(await project.ok('usage', '--json')) as MachineUsage[];
    if (machine === undefined || others.length > 0) throw new Error('this project has one machine');
    return machine;
  };

  await project.ok('up');
  const loop = (await inGuest('(while :; do :; done) >/dev/null 2>&1 </dev/null & echo $!')).trim();
  const [busy] = JSON.parse(await project.ok('stats', '--no-stream', '--json')) as MachineStats[];
  await inGuest(`kill ${loop}`);
  // One virtual processor, on a host that has other things to do.
  expect(busy?.cpu_percent).toBeGreaterThan(50);
  expect(busy?.cpu_percent).toBeLessThan(150);
  expect(busy?.memory_bytes).toBeGreaterThan(32 * 1024 ** 2);
  expect(busy?.network_in_bytes).toBeGreaterThan(1000);

  await inGuest(`dd if=/dev/urandom of=/root/data bs=64k count=${WRITTEN_BYTES / 65_536}; sync`);
  const running = await usage();
  expect(running).toMatchObject({ running: true, runs: 1, unseen_ends: 0 });
  expect(running.disk_written_bytes).toBeGreaterThanOrEqual(WRITTEN_BYTES);
  expect(running.disk_bytes).toBeGreaterThanOrEqual(WRITTEN_BYTES);
  expect(running.network_in_bytes).toBeGreaterThan(1000);
  expect(running.cpu_seconds).toBeGreaterThan(1);
  expect(running.cpu_seconds).toBeLessThan(running.running_hours * 3600 * 2);

  await project.ok('halt');
  const halted = await usage();
  expect(halted).toMatchObject({ running: false, runs: 1, unseen_ends: 0 });
  expect(halted.cpu_seconds).toBeGreaterThan(running.cpu_seconds);
  expect(halted.memory_gib_hours).toBeCloseTo(halted.running_hours / 4, 5);
  expect(await usage()).toEqual(halted);

  await project.ok('up');
  const again = await usage();
  process.kill((await project.status('m')).pid ?? 0, 'SIGKILL');
  await expect.poll(async () => (await project.status('m')).state).toBe('stopped');
  const killed = await usage();
  expect(killed).toMatchObject({ running: false, runs: 2, unseen_ends: 1 });
  expect(killed.cpu_seconds).toBe(again.cpu_seconds);
  expect(killed.running_hours).toBeGreaterThanOrEqual(again.running_hours);

  await project.ok('destroy', '--yes');
  expect(await usage()).toEqual({ ...killed, exists: false, disk_bytes: 0, destroyed_at: expect.any(String) });
  expect(project.leftovers()).toEqual([]);
});
