import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MachineStats } from '../../src/operations/stats/machine-stats.ts';
import type { MachineUsage } from '../../src/operations/usage/usage-document.ts';
import { createImage } from '../support/images.ts';
import { TestProject } from '../support/test-project.ts';
import { tools } from '../support/tools.ts';

let project: TestProject;

beforeAll(async () => {
  project = await TestProject.create({
    files: { Machinefile: 'defaults: { box: ./disk.qcow2, memory: 256MiB }\nmachines: { web: {}, spare: {} }' },
    tools: [tools.qemuImg, ...tools.fakeGuest],
  });
  await createImage(join(project.dir, 'disk.qcow2'));
  await project.ok('up', 'web');
});

afterAll(() => project[Symbol.asyncDispose]());

const usage = async (...args: string[]) => JSON.parse(await project.ok('usage', '--json', ...args)) as MachineUsage[];

// In this order: a machine's life.
test('stats, once: what runs, and what does not', async () => {
  const [web, spare] = JSON.parse(await project.ok('stats', '--no-stream', '--json')) as MachineStats[];
  expect(web).toMatchObject({
    machine: 'web',
    cpu_percent: expect.any(Number),
    memory_limit_bytes: 256 * 1024 ** 2,
    disk_read_bytes: 4096,
    disk_written_bytes: 512,
    network_in_bytes: 2048,
    network_out_bytes: 1024,
  });
  expect(web?.memory_bytes).toBeGreaterThan(1024 ** 2);
  expect(spare).toMatchObject({ machine: 'spare', pid: null, cpu_percent: null, memory_limit_bytes: null });
});

test('stats without a terminal prints one table and ends', async () => {
  const lines = (await project.ok('stats')).trimEnd().split('\n');
  expect(lines[0]).toMatch(/^MACHINE +CPU % +MEMORY \/ GIVEN +DISK READ \/ WRITTEN +NETWORK IN \/ OUT$/);
  expect(lines[1]).toMatch(/^web +\d+\.\d +\d+ MiB \/ 256 MiB +4\.0 KiB \/ 512 B +2\.0 KiB \/ 1\.0 KiB$/);
  expect(lines.slice(2)).toEqual([expect.stringMatching(/^spare +- +- +- +-$/)]);
});

test('usage of a machine that runs, is halted, runs again, is destroyed and made anew', async () => {
  expect(await usage()).toMatchObject([{ machine: 'web', running: true, runs: 1, network_in_bytes: 2048 }]);
  await project.ok('halt', 'web');
  const [halted] = await usage();
  expect(halted).toMatchObject({ running: false, runs: 1, unseen_ends: 0, disk_written_bytes: 512 });
  await project.ok('up', 'web');
  await project.ok('destroy', 'web', '--yes');
  const [destroyed] = await usage();
  expect(destroyed).toMatchObject({ id: halted?.id, exists: false, runs: 2, unseen_ends: 0, disk_written_bytes: 1024 });
  expect(destroyed?.running_hours).toBeGreaterThan(halted?.running_hours ?? 0);
  await project.ok('up', 'web');
  expect(await usage()).toMatchObject([{ ...destroyed }, { machine: 'web', exists: true, runs: 1 }]);
  expect(await usage('--all', 'w*')).toEqual(expect.arrayContaining([expect.objectContaining({ id: halted?.id })]));
});

test('as CSV, by name, and of a name that is none', async () => {
  const csv = await project.ok('usage', 'web', '--format', 'csv');
  expect(csv.split('\r\n')).toEqual([
    expect.stringMatching(/^machine,project,id,.*,cpu_seconds,memory_gib_hours,/),
    expect.stringContaining(`web,${project.dir},`),
    expect.stringContaining(`web,${project.dir},`),
    '',
  ]);
  expect(await project.ok('usage', 'spare', '--format', 'json')).toBe('[]\n');
  expect(await project.fails(2, 'usage', 'wep')).toContain('no machine is called wep\n→ machines of this project: ');
  expect(await project.fails(2, 'usage', '--format', 'cvs')).toContain('did you mean “csv”?');
});

test('a ledger that is damaged, and one that cannot be written: a warning, and the command does its work', async () => {
  const ledgersDir = join(String(project.env.VM_HOME), 'usage');
  const [current] = (await usage()).filter(({ exists }) => exists);
  await writeFile(join(ledgersDir, `${current?.id}.json`), 'precious');
  const halted = await project.vm('halt', 'web');
  expect(halted).toMatchObject({ exitCode: 0, stdout: 'web is stopped\n' });
  expect(halted.stderr).toContain('warning: web: what it used until now is in no sum');
  const aside = (await readdir(ledgersDir)).find((name) => name.endsWith('.damaged'));
  expect(await readFile(join(ledgersDir, String(aside)), 'utf8')).toBe('precious');
  expect((await project.vm('usage')).stderr).toContain(`${aside} cannot be read`);
  await rm(ledgersDir, { recursive: true });
  await writeFile(ledgersDir, '');
  const up = await project.vm('up', 'web');
  expect(up, up.stderr).toMatchObject({ exitCode: 0 });
  expect(up.stderr).toContain('warning: web: what it uses cannot be written down');
  await rm(ledgersDir);
});
