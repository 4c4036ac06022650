import { describe, expect, test } from 'vitest';
import { formatDuration, formatSize, parseDuration, parseSize } from '../../../src/machinefile/units.ts';

describe('sizes', () => {
  test.each([
    ['512MiB', 512 * 2 ** 20],
    ['2GiB', 2 * 2 ** 30],
    ['10GB', 10e9],
    ['1TiB', 2 ** 40],
    ['1.5GiB', 1.5 * 2 ** 30],
    ['4096B', 4096],
    [1024, 2 ** 30],
    ['1024', 2 ** 30],
    ['1KB', 1000],
  ])('%j is %d bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each(['', 'GiB', '1 GiB', '1gib', '1G', '-1MiB', '1.MiB', '1toString'])('%j is no size', (text) => {
    expect(parseSize(text)).toBeUndefined();
  });

  test.each([
    [512 * 2 ** 20, '512MiB'],
    [1536 * 2 ** 20, '1536MiB'],
    [10e9, '10GB'],
    [2 ** 30, '1GiB'],
    [1000, '1KB'],
    [1234567, '1234567B'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  test('what is written reads the same', () => {
    for (let bytes = 1; bytes < 2 ** 45; bytes = bytes * 3 + 1) expect(parseSize(formatSize(bytes))).toBe(bytes);
  });
});

describe('durations', () => {
  test.each([
    ['500ms', 500],
    ['2s', 2000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['0s', 0],
  ])('%s is %d ms', (text, durationMs) => {
    expect(parseDuration(text)).toBe(durationMs);
  });

  test.each(['', '5', 's', '5 s', '1w', '-1s', '5sec'])('%j is no duration', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test.each([
    [0, '0s'],
    [500, '500ms'],
    [60_000, '1m'],
    [90_500, '1m30s500ms'],
    [3_600_000, '1h'],
  ])('%d ms are %s', (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text);
    expect(parseDuration(text)).toBe(durationMs);
  });
});
