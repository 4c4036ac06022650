import { expect, test } from 'vitest';
import { formatEvent, jsonReporter, timingReporter } from '../../../src/cli/reporters.ts';
import { formatUptime } from '../../../src/cli/uptime.ts';
import type { ReportEvent } from '../../../src/context.ts';

const plain = { quiet: false, verbose: false, color: false };
const done: ReportEvent = { type: 'phase', subject: 'web', phase: 'boot', status: 'done', elapsedMs: 16_230 };
const progress: ReportEvent = { type: 'progress', subject: 'web', text: 'waiting for SSH' };

test.each([
  ['a phase that is done', done, plain, '✔ web: boot 16 s'],
  ['a phase that failed', { ...done, status: 'failed', elapsedMs: 900 }, plain, '✖ web: boot failed after 0.9 s'],
  ['a phase that is done, in brief', done, { ...plain, brief: true }, undefined],
  ['a phase that begins', { ...done, status: 'started' }, plain, undefined],
  ['progress', progress, plain, undefined],
  ['progress, verbose', progress, { ...plain, verbose: true }, 'web: waiting for SSH'],
  ['output', { type: 'output', subject: 'web', stream: 'stdout', line: 'hi' }, plain, 'web | hi'],
  ['quiet', done, { ...plain, quiet: true }, undefined],
  [
    'a warning, even when quiet',
    { type: 'message', level: 'warning', text: 'x' },
    { ...plain, quiet: true },
    'warning: x',
  ],
] as const)('%s', (_what, event, options, expected) => {
  expect(formatEvent(event, options)).toBe(expected);
});

test('JSON events, one a line', () => {
  const lines: string[] = [];
  jsonReporter((line) => lines.push(line)).report(done);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { type: 'phase', subject: 'web', phase: 'boot', status: 'done', elapsed_ms: 16_230 },
  ]);
});

test('timings keep what ended', () => {
  const timings = timingReporter({ report: () => {} });
  timings.report({ type: 'phase', subject: 'web', phase: 'boot', status: 'started' });
  timings.report(done);
  timings.report(progress);
  expect(timings.phases).toEqual([{ subject: 'web', phase: 'boot', elapsedMs: 16_230 }]);
});

test.each([
  [0, '0s'],
  [59_999, '59s'],
  [310_000, '5m 10s'],
  [3_600_000, '1h'],
  [273_600_000, '3d 4h'],
])('uptime of %i ms is %s', (ms, text) => {
  expect(formatUptime(ms)).toBe(text);
});
