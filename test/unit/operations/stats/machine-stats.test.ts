import { expect, test } from 'vitest';
import { cpuPercent, statsOf } from '../../../../src/operations/stats/machine-stats.ts';

const process = { pid: 100, startTicks: '5000' };
const at = (runningMs: number, cpuMs: number) => ({ process, runningMs, cpuMs });

test.each([
  { before: at(1000, 500), now: at(2000, 500), percent: 0 },
  { before: at(1000, 500), now: at(2000, 1500), percent: 100 },
  { before: at(1000, 500), now: at(2000, 2500), percent: 200 },
  { before: at(1000, 500), now: at(4000, 510), percent: 0.3 },
  { before: undefined, now: at(2000, 1500), percent: undefined },
  { before: at(2000, 500), now: at(2000, 500), percent: undefined },
  { before: { ...at(90, 90), process: { ...process, startTicks: '1' } }, now: at(2000, 1500), percent: undefined },
])('$percent % from $before to $now', ({ before, now, percent }) => {
  expect(cpuPercent(before, now)).toBe(percent);
});

test('what is not known is null', () => {
  const figures = { ...at(2000, 500), memoryBytes: 7, disk: undefined };
  const reading = { figures, previous: undefined, memoryLimitBytes: 8, network: undefined };
  expect(statsOf('web', reading)).toEqual({
    machine: 'web',
    pid: 100,
    cpu_percent: null,
    memory_bytes: 7,
    memory_limit_bytes: 8,
    disk_read_bytes: null,
    disk_written_bytes: null,
    network_in_bytes: null,
    network_out_bytes: null,
  });
});
