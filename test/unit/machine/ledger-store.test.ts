import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StateError } from '../../../src/errors.ts';
import { DamagedLedgerError, LedgerStore } from '../../../src/machine/ledger-store.ts';
import { withReading } from '../../../src/machine/usage-folding.ts';
import { newLedger, readingAt } from '../../support/usage-readings.ts';

const ledger = withReading(newLedger(), readingAt(10));
let homeDir: string;
let store: LedgerStore;
let path: string;

beforeEach(async () => {
  homeDir = await mkdtemp(join(tmpdir(), 'vm-ledgers-'));
  store = new LedgerStore(homeDir);
  path = join(homeDir, 'usage', `${ledger.id}.json`);
});

afterEach(() => rm(homeDir, { recursive: true }));

test('what was written is read, by its owner only', async () => {
  expect(await store.read(ledger.id)).toBeUndefined();
  expect(await store.list()).toEqual({ ledgers: [], failures: [] });
  await store.write(ledger);
  expect(await store.read(ledger.id)).toEqual(ledger);
  expect(await store.list()).toEqual({ ledgers: [ledger], failures: [] });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test.each(['', '{"format":1', '{"format":1}', '{}', 'null', '[]'])('damaged: %j', async (text) => {
  await store.write(ledger);
  await writeFile(path, text);
  await expect(store.read(ledger.id)).rejects.toBeInstanceOf(DamagedLedgerError);
  expect((await store.list()).failures.map(({ message }) => message)).toEqual([expect.stringContaining(path)]);
});

test('one that is set aside is kept as it was, and told of for as long as it is there', async () => {
  await store.write(ledger);
  await writeFile(path, 'precious');
  const asidePath = await store.setAside(ledger.id);
  await store.write(ledger);
  expect(await readFile(asidePath, 'utf8')).toBe('precious');
  const { ledgers, failures } = await store.list();
  expect(ledgers).toEqual([ledger]);
  expect(failures.map(({ message }) => message)).toEqual([expect.stringContaining(asidePath)]);
  expect(await readdir(join(homeDir, 'usage'))).toHaveLength(2);
});

test('the ledger of a newer vm is not damaged', async () => {
  await store.write(ledger);
  await writeFile(path, JSON.stringify({ ...ledger, format: 2 }));
  const error = await store.read(ledger.id).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(StateError);
  expect(error).not.toBeInstanceOf(DamagedLedgerError);
  expect(error).toMatchObject({ message: expect.stringContaining('format 2') });
});
