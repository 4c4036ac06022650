import { describe, expect, test } from 'vitest';
import { settle, totalsOf, withReading } from '../../../src/machine/usage-folding.ts';
import type { RunReading, UsageLedger } from '../../../src/machine/usage-ledger.ts';
import { atSecond, newLedger, RUN_A, readingAt } from '../../support/usage-readings.ts';

const RUN_B = { ...RUN_A, startTicks: '9000' };
const afterReadings = (...readings: readonly RunReading[]) => readings.reduce(withReading, newLedger());
const msOf = (iso: string) => Date.parse(iso);

describe('a run that goes on', () => {
  test('counts once, as far as it was read last', () => {
    const ledger = afterReadings(readingAt(10), readingAt(20), readingAt(20));
    expect(totalsOf(ledger)).toEqual({
      runs: 1,
      unseenEnds: 0,
      runningMs: 20_000,
      cpuMs: 10_000,
      memoryByteMs: 2 ** 30 * 20_000,
      diskReadBytes: 200,
      diskWrittenBytes: 2_000,
      network: undefined,
    });
    expect(ledger.settled.runs).toBe(0);
  });

  test('readings that come in the wrong order, or know less, take nothing away', () => {
    const ledger = afterReadings(readingAt(20), readingAt(10), readingAt(15, { disk: undefined }));
    expect(ledger).toEqual(afterReadings(readingAt(20)));
  });

  test('what it was given is what it was started with', () => {
    expect(afterReadings(readingAt(10), readingAt(20, { memoryBytes: 0 })).run?.memoryBytes).toBe(2 ** 30);
  });
});

describe('the end of a run', () => {
  test('seen: the last reading is all of it', () => {
    const ledger = settle(afterReadings(readingAt(10)), 'seen');
    expect(ledger).toMatchObject({ run: undefined, settled: { runs: 1, unseenEnds: 0, runningMs: 10_000 } });
  });

  test('unseen: it ran until its last sign of life, and what it used then is not known', () => {
    const ledger = settle(afterReadings(readingAt(10)), { lastSignMs: msOf(atSecond(70)) });
    expect(ledger.settled).toMatchObject({ unseenEnds: 1, runningMs: 70_000, cpuMs: 5_000, diskWrittenBytes: 1_000 });
    expect(ledger.settled.memoryByteMs).toBe(2 ** 30 * 70_000);
  });

  test.each([undefined, msOf(atSecond(3))])('a last sign that tells nothing new (%s)', (lastSignMs) => {
    expect(settle(afterReadings(readingAt(10)), { lastSignMs }).settled.runningMs).toBe(10_000);
  });

  test('of no run: nothing', () => {
    expect(settle(newLedger(), 'seen')).toEqual(newLedger());
  });
});

/** What a `vm` does with a ledger at its end of the story, and a killed one does not. */
type Step = (ledger: UsageLedger) => UsageLedger;
const read =
  (second: number, overrides?: Partial<RunReading>): Step =>
  (ledger) =>
    withReading(ledger, readingAt(second, overrides));
const seen: Step = (ledger) => settle(ledger, 'seen');
const unseen: Step = (ledger) => settle(ledger, { lastSignMs: undefined });
const story = (...steps: readonly Step[]) => steps.reduce((ledger, step) => step(ledger), newLedger());

describe('nothing counts twice, nothing that was settled is lost', () => {
  test.each<[string, readonly Step[], number]>([
    ['each step done twice', [read(10), read(10), seen, seen], 1],
    ['halt killed before it settled', [read(10), unseen], 1],
    ['a reading of a run that was settled meanwhile', [read(10), seen, read(9), seen], 1],
    ['two runs', [read(10), seen, read(10, { key: RUN_B }), seen], 2],
    ['the first of two never settled', [read(10), read(10, { key: RUN_B }), seen], 2],
    ['its pid used again', [read(10), seen, read(10, { key: RUN_B })], 2],
    [
      'pid and start time used again after the host booted',
      [read(10), seen, read(10, { key: { ...RUN_A, hostBootId: 'host-2' } })],
      2,
    ],
  ])('%s', (_name, steps, runs) => {
    expect(totalsOf(story(...steps))).toMatchObject({ runs, runningMs: runs * 10_000, cpuMs: runs * 5_000 });
  });
});

describe('network', () => {
  const network = (guestBootId: string, inBytes: number, outBytes: number) => ({
    network: { guestBootId, traffic: { inBytes, outBytes } },
  });
  const traffic = (...steps: readonly Step[]) => totalsOf(story(...steps)).network;

  test('a guest that was never asked, or does not answer', () => {
    expect(traffic(read(10))).toBeUndefined();
    expect(traffic(read(10, network('boot-1', 5, 6)), read(20))).toEqual({ inBytes: 5, outBytes: 6 });
  });

  test('counters begin anew with each boot of the guest', () => {
    const steps = [
      network('boot-1', 5, 6),
      network('boot-1', 50, 60),
      network('boot-2', 1, 2),
      network('boot-2', 3, 4),
    ];
    expect(traffic(...steps.map((step, index) => read(index, step)))).toEqual({ inBytes: 53, outBytes: 64 });
  });

  test('a card that is taken out takes nothing with it', () => {
    const steps = [read(10, network('boot-1', 100, 60)), read(20, network('boot-1', 30, 70))];
    expect(traffic(...steps)).toEqual({ inBytes: 100, outBytes: 70 });
  });

  test('of several runs', () => {
    const second = read(10, { key: RUN_B, ...network('boot-2', 1, 2) });
    expect(traffic(read(10, network('boot-1', 5, 6)), seen, second, seen)).toEqual({ inBytes: 6, outBytes: 8 });
    expect(traffic(read(10), seen, second)).toEqual({ inBytes: 1, outBytes: 2 });
  });
});
