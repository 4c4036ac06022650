import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TimeoutError } from '../../../src/errors.ts';
import { acquireLock, removeDeadHolders } from '../../../src/host/lock.ts';
import { identifyProcess } from '../../../src/host/processes.ts';

const { signal } = new AbortController();
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vm-lock-'));
});

afterEach(() => rm(dir, { recursive: true }));

test('one holder at a time; the next gets it when it is free', async () => {
  const events: string[] = [];
  const hold = async (name: string) => {
    await using _lock = await acquireLock(dir, { purpose: name, signal });
    events.push(`${name} in`);
    await new Promise(setImmediate);
    events.push(`${name} out`);
  };
  await Promise.all(['a', 'b', 'c'].map(hold));
  expect(events).toHaveLength(6);
  for (let index = 0; index < events.length; index += 2) {
    expect(events[index + 1]).toBe(events[index]?.replace('in', 'out'));
  }
  expect(await readdir(dir)).toEqual([]);
});

test('the one who waits is told who holds it', async () => {
  await using _held = await acquireLock(dir, { purpose: 'vm up', signal });
  const holders: unknown[] = [];
  const waiting = acquireLock(dir, { purpose: 'vm halt', signal, timeoutMs: 1, onWait: (h) => holders.push(h) });
  await expect(waiting).rejects.toBeInstanceOf(TimeoutError);
  expect(holders).toEqual([{ pid: process.pid, purpose: 'vm up' }]);
  expect(await readdir(dir)).toHaveLength(1);
});

test('a holder that died holds nothing, even if its pid lives on as another process', async () => {
  const self = identifyProcess(process.pid);
  await writeFile(join(dir, `${self?.pid}.1.beef`), 'vm up'); // our pid, another start time
  await writeFile(join(dir, '4194305.12345.beef'), 'vm up'); // above the largest pid Linux gives
  await using _lock = await acquireLock(dir, { purpose: 'vm up', signal, timeoutMs: 0 });
  expect(await readdir(dir)).toHaveLength(1);
});

test('what holders that died have left is removed, and no lock that somebody has', async () => {
  await writeFile(join(dir, '4194305.12345.beef'), 'vm clone');
  await using _lock = await acquireLock(dir, { purpose: 'vm up', signal });
  await writeFile(join(dir, '4194305.12346.beef'), 'vm clone');
  const [held] = (await readdir(dir)).filter((name) => name.startsWith(`${process.pid}.`));
  await removeDeadHolders(dir);
  expect(await readdir(dir)).toEqual([held]);
  await removeDeadHolders(join(dir, 'gone'));
});
