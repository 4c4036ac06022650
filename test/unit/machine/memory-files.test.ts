import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { machineLayout } from '../../../src/machine/layout.ts';
import type { MemoryFacts, MemoryFiles } from '../../../src/machine/memory.ts';
import { forgetMemory, readMemoryFacts, removeMemory, writeMemoryFacts } from '../../../src/machine/memory-files.ts';

const facts: MemoryFacts = {
  format: 1,
  savedAt: '2026-01-31T12:00:00.000Z',
  sha256: '00',
  bytes: 1,
  hypervisor: { version: '7.2.22', machineType: 'pc-q35-7.2', argsFingerprint: 'abc' },
  host: {},
  command: { file: 'qemu-system-x86_64', args: ['-S'] },
  disks: [],
};

let dir: string;
let files: MemoryFiles;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vm-memory-'));
  files = machineLayout(dir).memory;
});

afterEach(() => rm(dir, { recursive: true }));

test('what is written is read, and private', async () => {
  expect(await readMemoryFacts(files)).toBeUndefined();
  await writeMemoryFacts(files, facts);
  expect(await readMemoryFacts(files)).toEqual(facts);
  expect((await stat(files.factsPath)).mode & 0o777).toBe(0o600);
});

test.each(['', '{"format": 1', '{"format": 2}'])('facts that nobody understands are none: %j', async (text) => {
  await writeFile(files.factsPath, text);
  expect(await readMemoryFacts(files)).toBeUndefined();
});

test('forgotten first, removed then, both as often as one likes', async () => {
  await writeMemoryFacts(files, facts);
  await writeFile(files.statePath, 'x');
  await forgetMemory(files);
  await forgetMemory(files);
  expect(await readMemoryFacts(files)).toBeUndefined();
  expect(existsSync(files.statePath)).toBe(true);
  await removeMemory(files);
  await removeMemory(files);
  expect(existsSync(files.statePath)).toBe(false);
});
