import { expect, test } from 'vitest';
import { describeSize, describeTransfer, TransferProgress } from '../../../src/http/progress-text.ts';

const MIB = 2 ** 20;

test.each([
  [
    { bytes: 123 * MIB, totalBytes: 400 * MIB, bytesPerSecond: 12.3 * MIB },
    '123 MiB of 400 MiB (31 %), 12.3 MiB/s, 23 s left',
  ],
  [{ bytes: 123 * MIB, totalBytes: undefined, bytesPerSecond: 12.3 * MIB }, '123 MiB, 12.3 MiB/s'],
  [{ bytes: 0, totalBytes: 400 * MIB, bytesPerSecond: undefined }, '0 B of 400 MiB (0 %)'],
  [
    { bytes: 399.9 * MIB, totalBytes: 400 * MIB, bytesPerSecond: 120 * MIB },
    '400 MiB of 400 MiB (100 %), 120 MiB/s, 1 s left',
  ],
  [{ bytes: MIB, totalBytes: 100 * MIB, bytesPerSecond: 0 }, '1.0 MiB of 100 MiB (1 %), 0 B/s'],
  [{ bytes: 0, totalBytes: 0, bytesPerSecond: undefined }, '0 B'],
  [{ bytes: 0, totalBytes: 100 * MIB, bytesPerSecond: MIB }, '0 B of 100 MiB (0 %), 1.0 MiB/s, 2 min left'],
  [{ bytes: 0, totalBytes: 4000 * MIB, bytesPerSecond: MIB }, '0 B of 3.9 GiB (0 %), 1.0 MiB/s, 1 h 7 min left'],
  [{ bytes: 0, totalBytes: 60 * MIB, bytesPerSecond: MIB }, '0 B of 60 MiB (0 %), 1.0 MiB/s, 1 min left'],
])('%o', (transfer, text) => {
  expect(describeTransfer(transfer)).toBe(text);
});

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.5 KiB'],
  [31 * MIB, '31 MiB'],
  [1.4 * 1024 * MIB, '1.4 GiB'],
])('%i bytes: %s', (bytes, text) => {
  expect(describeSize(bytes)).toBe(text);
});

/** What is reported of updates at given times. */
function reportsOf(updates: readonly (readonly [atMs: number, bytes: number])[]): string[] {
  const reports: string[] = [];
  let nowMs = 0;
  const progress = new TransferProgress({ report: (text) => reports.push(text), now: () => nowMs });
  for (const [atMs, bytes] of updates) {
    nowMs = atMs;
    progress.update(bytes, undefined);
  }
  return reports;
}

test('at most five reports a second', () => {
  const updates = Array.from({ length: 1000 }, (_, index) => [index, index * 1000] as const);
  expect(reportsOf(updates)).toHaveLength(5);
});

test('the rate is that of the last five seconds', () => {
  const slowThenFast = Array.from(
    { length: 21 },
    (_, s) => [s * 1000, (s <= 10 ? s : 10 + (s - 10) * 20) * MIB] as const,
  );
  const reports = reportsOf(slowThenFast);
  expect(reports[0]).toBe('0 B');
  expect(reports[10]).toBe('10 MiB, 1.0 MiB/s');
  expect(reports[11]).toBe('30 MiB, 4.8 MiB/s');
  expect(reports[20]).toBe('210 MiB, 20.0 MiB/s');
});

test('a transfer that goes on from a part does not count what was there, and one that starts over counts anew', () => {
  expect(
    reportsOf([
      [0, 100 * MIB],
      [1000, 101 * MIB],
      [1100, 0],
      [2100, 3 * MIB],
    ]),
  ).toEqual(['100 MiB', '101 MiB, 1.0 MiB/s', '0 B', '3.0 MiB, 3.0 MiB/s']);
});
