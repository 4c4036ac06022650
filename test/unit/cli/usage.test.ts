import { expect, test } from 'vitest';
import { usageCsv, usageRow } from '../../../src/cli/commands/usage.ts';
import { formatCsv } from '../../../src/cli/csv.ts';
import { settle, withReading } from '../../../src/machine/usage-folding.ts';
import { usageDocument } from '../../../src/operations/usage/usage-document.ts';
import { atSecond, newLedger, readingAt } from '../../support/usage-readings.ts';

const hour = withReading(newLedger(), readingAt(3600));
const running = { exists: true, isRunning: true, diskBytes: 5 * 2 ** 20 };

test('CSV: the header is the keys; commas, quotes and line ends are quoted; absent values are empty', () => {
  expect(
    formatCsv(
      ['a', 'b'],
      [
        ['plain', null],
        ['x,y', 'say "hi"'],
        ['two\nlines', 1.5],
      ],
    ),
  ).toBe('a,b\r\nplain,\r\n"x,y","say ""hi"""\r\n"two\nlines",1.5\r\n');
  const document = usageDocument({ ...hour, projectDir: '/srv/a, b' }, running);
  const [header, row] = usageCsv([document]).split('\r\n');
  expect(header?.split(',')).toEqual(Object.keys(document));
  expect(row).toContain('web,"/srv/a, b",');
});

test('hours, seconds and GiB-hours; a destruction that was interrupted is none', () => {
  expect(usageDocument({ ...hour, destroyedAt: atSecond(60) }, running)).toMatchObject({
    running_hours: 1,
    cpu_seconds: 1800,
    memory_gib_hours: 1,
    network_in_bytes: null,
    destroyed_at: null,
  });
});

test('fractions are rounded down: nobody pays for what was not used', () => {
  const reading = readingAt(0, { runningMs: 3_599_999, cpuMs: 19.99 });
  expect(usageDocument(withReading(newLedger(), reading), running)).toMatchObject({
    running_hours: 0.999999,
    cpu_seconds: 0.01,
    memory_gib_hours: 0.999999,
  });
});

test('the table says what is a lower bound', () => {
  expect(usageRow(usageDocument(hour, running))).toEqual([
    'web',
    '2026-01-31 12:00',
    '-',
    '1.000',
    '1800.0',
    '1.000',
    '5.0 MiB',
    '35 KiB / 352 KiB',
    '-',
  ]);
  const ended = { ...settle(hour, { lastSignMs: undefined }), destroyedAt: atSecond(7200) };
  const gone = { exists: false, isRunning: false, diskBytes: 0 };
  expect(usageRow(usageDocument(ended, gone)).slice(2)).toEqual([
    '2026-01-31 14:00',
    '≥ 1.000',
    '≥ 1800.0',
    '≥ 1.000',
    '-',
    '≥ 35 KiB / 352 KiB',
    '-',
  ]);
  expect(usageRow(usageDocument(hour, gone))[2]).toBe('gone');
});
