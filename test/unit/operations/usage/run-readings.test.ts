import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { machineLayout } from '../../../../src/machine/layout.ts';
import { lastSignOfLife } from '../../../../src/operations/usage/run-readings.ts';

test('the last sign of life is what changed last: the folder, by the end of the pid file, or a file in it', async () => {
  const layout = machineLayout(await mkdtemp(join(tmpdir(), 'vm-signs-')));
  const setTime = (path: string, seconds: number) => utimes(path, seconds, seconds);
  try {
    await writeFile(layout.serialLogPath, '');
    await writeFile(layout.diskPath, '');
    await setTime(layout.serialLogPath, 1000);
    await setTime(layout.diskPath, 2000);
    await setTime(layout.machineDir, 1500);
    expect(await lastSignOfLife(layout)).toBe(2_000_000);
    await setTime(layout.machineDir, 3000);
    expect(await lastSignOfLife(layout)).toBe(3_000_000);
  } finally {
    await rm(layout.machineDir, { recursive: true });
  }
  expect(await lastSignOfLife(layout)).toBeUndefined();
});
