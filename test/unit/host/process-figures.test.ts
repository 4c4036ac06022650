import { expect, test } from 'vitest';
import { parseResidentBytes, readProcessFigures } from '../../../src/host/process-figures.ts';
import { identifyProcess, parseProcessStat } from '../../../src/host/processes.ts';

/** /proc/PID/stat of a QEMU, with a name of one's choice. */
const stat = (name: string) =>
  `9114 (${name}) S 1 9114 9114 0 -1 138412416 13498 0 3 0 715 200 17 4 20 0 7 0 3775457 2281771008 75262 18446744073709551615`;

test.each(['qemu-system-x86', 'a name (with) 1 2 3 4 5 6 7 8 9', 'a) R 1 1 1 (b'])(
  '/proc/PID/stat of a process called “%s”',
  (name) => {
    // Of children that were waited for (17 and 4 ticks) nothing is counted.
    expect(parseProcessStat(stat(name))).toEqual({ state: 'S', startTicks: '3775457', cpuTicks: 915 });
  },
);

test('a text that is none', () => {
  expect(parseProcessStat('')).toBeUndefined();
});

test('resident memory; of a process that has ended there is none', () => {
  expect(parseResidentBytes('Name:\tqemu\nVmHWM:\t  400000 kB\nVmRSS:\t  301208 kB\n')).toBe(301_208 * 1024);
  expect(parseResidentBytes('Name:\tqemu\nState:\tZ (zombie)\n')).toBe(0);
});

test('figures of this very process, and none of another that had its pid', () => {
  const self = identifyProcess(process.pid);
  if (self === undefined) throw new Error('this process has no identity');
  const uptimeMs = process.uptime() * 1000;
  const figures = readProcessFigures(self);
  expect(figures?.memoryBytes).toBeGreaterThan(1024 ** 2);
  // The kernel counts hundredths of a second.
  expect(figures?.cpuMs).toBeLessThanOrEqual(process.cpuUsage().user / 1000 + process.cpuUsage().system / 1000 + 20);
  // Node.js begins to count when it is loaded, a moment after the kernel.
  const loadingMs = (figures?.runningMs ?? 0) - uptimeMs;
  expect(loadingMs).toBeGreaterThan(-20);
  expect(loadingMs).toBeLessThan(60_000);
  expect(readProcessFigures({ ...self, startTicks: '1' })).toBeUndefined();
});
