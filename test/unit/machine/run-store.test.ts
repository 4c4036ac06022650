import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isRun, RunStore } from '../../../src/machine/run-store.ts';

const record = { format: 1, maker: '1.1-00', isRemoved: true } as const;
let homeDir: string;
let runs: RunStore;

beforeEach(async () => {
  homeDir = await mkdtemp(join(tmpdir(), 'vm-unit-'));
  runs = new RunStore(homeDir);
});

afterEach(() => rm(homeDir, { recursive: true }));

test('a run comes and goes; nothing else stays', async () => {
  expect([await runs.list(), await runs.among(['a']), await runs.read('a')]).toEqual([[], [], undefined]);
  expect(await runs.create('a', 'machines: {}\n', record)).toBe(true);
  expect([await runs.list(), await runs.among(['b', 'a']), await runs.read('a')]).toEqual([['a'], ['a'], record]);
  expect(await readFile(runs.machinefileOf('a'), 'utf8')).toBe('machines: {}\n');
  expect((await stat(runs.dirOf('a'))).mode & 0o777).toBe(0o700);
  expect([isRun(runs.dirOf('a'), homeDir), isRun('/srv/runs/a', homeDir)]).toEqual([true, false]);
  await runs.remove('a');
  await runs.remove('a');
  expect(await readdir(join(homeDir, 'runs'))).toEqual([]);
});

test('a name is given once', async () => {
  await runs.create('a', 'first', record);
  expect(await runs.create('a', 'second', record)).toBe(false);
  expect(await readFile(runs.machinefileOf('a'), 'utf8')).toBe('first');
  expect(await readdir(join(homeDir, 'runs'))).toEqual(['a']);
});

test('a damaged record says nothing', async () => {
  await runs.create('a', 'machines: {}\n', record);
  await writeFile(join(runs.dirOf('a'), 'run.json'), '{"format":');
  expect(await runs.read('a')).toBeUndefined();
});

test('a folder without a Machinefile is no run', async () => {
  await mkdir(runs.dirOf('a'), { recursive: true });
  expect([await runs.list(), await runs.among(['a'])]).toEqual([['a'], []]);
});
