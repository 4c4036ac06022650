import {
  type GuestNetworkReading,
  type GuestNetworkUsage,
  isSameRun,
  type NetworkTraffic,
  type RunReading,
  type RunUsage,
  type UsageLedger,
  type UsageTotals,
} from './usage-ledger.ts';

/**
 * How readings become totals. All pure, and each may be repeated: a reading is of a run since its start, so it replaces
 * the one before; a run is added to the settled ones once, in the same write that takes it away from its place.
 */

/** The ledger with a reading of a run that goes on, or has just ended. Another run that was open is settled. */
export function withReading(ledger: UsageLedger, reading: RunReading): UsageLedger {
  if (isSameRun(ledger.settledRun, reading.key)) return ledger;
  const { run } = ledger;
  if (run !== undefined && !isSameRun(run.key, reading.key)) {
    return withReading(settle(ledger, { lastSignMs: undefined }), reading);
  }
  return { ...ledger, run: laterOf(run, reading) };
}

/** Counters never go back: of two readings that come in the wrong order the later one stays. */
function laterOf(run: RunUsage | undefined, reading: RunReading): RunUsage {
  const { key, readAt, memoryBytes, disk } = reading;
  return {
    key,
    readAt: run !== undefined && run.readAt > readAt ? run.readAt : readAt,
    memoryBytes: run?.memoryBytes ?? memoryBytes,
    runningMs: Math.max(run?.runningMs ?? 0, reading.runningMs),
    cpuMs: Math.max(run?.cpuMs ?? 0, reading.cpuMs),
    diskReadBytes: Math.max(run?.diskReadBytes ?? 0, disk?.readBytes ?? 0),
    diskWrittenBytes: Math.max(run?.diskWrittenBytes ?? 0, disk?.writtenBytes ?? 0),
    network: withNetwork(run?.network, reading.network),
  };
}

function withNetwork(
  before: GuestNetworkUsage | undefined,
  reading: GuestNetworkReading | undefined,
): GuestNetworkUsage | undefined {
  if (reading === undefined) return before;
  const { guestBootId, traffic } = reading;
  if (before?.guestBootId === guestBootId) {
    // Less than before: a card was taken out. What it carried is not known any more, but was not less.
    return { ...before, traffic: largerOf(before.traffic, traffic) };
  }
  return { guestBootId, traffic, before: before === undefined ? NO_TRAFFIC : networkOf(before) };
}

const NO_TRAFFIC: NetworkTraffic = { inBytes: 0, outBytes: 0 };

function largerOf(a: NetworkTraffic, b: NetworkTraffic): NetworkTraffic {
  return { inBytes: Math.max(a.inBytes, b.inBytes), outBytes: Math.max(a.outBytes, b.outBytes) };
}

function networkOf({ before, traffic }: GuestNetworkUsage): NetworkTraffic {
  return addTraffic(before, traffic);
}

function addTraffic(a: NetworkTraffic, b: NetworkTraffic): NetworkTraffic {
  return { inBytes: a.inBytes + b.inBytes, outBytes: a.outBytes + b.outBytes };
}

/** How a run ended. */
export type RunEnd =
  /** Under the eyes of a `vm`: its last reading is of that moment. */
  | 'seen'
  /** Nobody looked; at `lastSignMs` of the host's clock, where that can be told, it still ran. */
  | { readonly lastSignMs: number | undefined };

/** The ledger once its open run is over; the same ledger where none is open. */
export function settle(ledger: UsageLedger, end: RunEnd): UsageLedger {
  const { run } = ledger;
  if (run === undefined) return ledger;
  const lastSignMs = end === 'seen' ? undefined : end.lastSignMs;
  const ranOnMs = lastSignMs === undefined ? 0 : Math.max(0, lastSignMs - Date.parse(run.readAt));
  const ended = { ...run, runningMs: run.runningMs + ranOnMs };
  const settled = addRun(ledger.settled, ended);
  const unseenEnds = settled.unseenEnds + (end === 'seen' ? 0 : 1);
  return { ...ledger, settled: { ...settled, unseenEnds }, run: undefined, settledRun: run.key };
}

/** What the machine has used: the settled runs, and the open one as far as it was read. */
export function totalsOf({ settled, run }: UsageLedger): UsageTotals {
  return run === undefined ? settled : addRun(settled, run);
}

function addRun(totals: UsageTotals, run: RunUsage): UsageTotals {
  const network = run.network && networkOf(run.network);
  return {
    runs: totals.runs + 1,
    unseenEnds: totals.unseenEnds,
    runningMs: totals.runningMs + run.runningMs,
    cpuMs: totals.cpuMs + run.cpuMs,
    memoryByteMs: totals.memoryByteMs + run.memoryBytes * run.runningMs,
    diskReadBytes: totals.diskReadBytes + run.diskReadBytes,
    diskWrittenBytes: totals.diskWrittenBytes + run.diskWrittenBytes,
    network: totals.network && network ? addTraffic(totals.network, network) : (totals.network ?? network),
  };
}
