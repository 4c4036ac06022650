import { emptyLedger, type RunReading, type UsageLedger } from '../../src/machine/usage-ledger.ts';

export const RUN_A = { pid: 100, startTicks: '5000', hostBootId: 'host-1' };

const START_MS = Date.parse('2026-01-31T12:00:00.000Z');

/** An instant so many seconds after noon. */
export const atSecond = (second: number) => new Date(START_MS + second * 1000).toISOString();

export function newLedger(): UsageLedger {
  return emptyLedger({
    id: '11111111-2222-4333-8444-555555555555',
    projectDir: '/srv/shop',
    machine: 'web',
    replicaOf: undefined,
    provider: 'qemu',
    box: 'debian/12',
    createdAt: atSecond(0),
  });
}

/** A reading of a run with 1 GiB that began at noon: busy half of the time, reading 10 and writing 100 bytes a second. */
export function readingAt(second: number, overrides: Partial<RunReading> = {}): RunReading {
  return {
    key: RUN_A,
    readAt: atSecond(second),
    memoryBytes: 2 ** 30,
    runningMs: second * 1000,
    cpuMs: second * 500,
    disk: { readBytes: second * 10, writtenBytes: second * 100 },
    network: undefined,
    ...overrides,
  };
}
