import type { ProcessIdentity } from '../host/processes.ts';
import type { ProviderName } from '../machinefile/spec.ts';

/** The number of the stored format; a change of the shape below raises it and reads the old one. */
export const LEDGER_FORMAT = 1;

/** Whose use it is. Kept beside the figures, because a destroyed machine has no record any more. */
export interface LedgerOwner {
  /** The machine's UUID. */
  readonly id: string;
  readonly projectDir: string;
  readonly machine: string;
  /** The machine of the Machinefile that it is a replica of. */
  readonly replicaOf: string | undefined;
  readonly provider: ProviderName;
  readonly box: string | undefined;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** What a machine has used since its creation: of all runs that ended, and of the one that goes on. */
export interface UsageLedger extends LedgerOwner {
  readonly format: typeof LEDGER_FORMAT;
  /** ISO 8601; when its destruction began. A machine that exists all the same was not destroyed then. */
  readonly destroyedAt: string | undefined;
  /** Of the runs that ended. */
  readonly settled: UsageTotals;
  /** The run that was read last, until it is settled. */
  readonly run: RunUsage | undefined;
  /** The run that was settled last: no reading of it counts any more. */
  readonly settledRun: RunKey | undefined;
}

export interface UsageTotals {
  readonly runs: number;
  /** Runs that ended while no `vm` looked: what they used after the last reading is missing here. */
  readonly unseenEnds: number;
  readonly runningMs: number;
  readonly cpuMs: number;
  /** Bytes of memory that the guest was given, times the milliseconds that it ran. */
  readonly memoryByteMs: number;
  readonly diskReadBytes: number;
  readonly diskWrittenBytes: number;
  /** As the guest counts; undefined where none was ever asked. */
  readonly network: NetworkTraffic | undefined;
}

export interface NetworkTraffic {
  readonly inBytes: number;
  readonly outBytes: number;
}

/** One run of a hypervisor: its process, in one run of the host's kernel. Never the same for two. */
export interface RunKey extends ProcessIdentity {
  readonly hostBootId: string;
}

/** The last reading of a run. */
export interface RunUsage {
  readonly key: RunKey;
  /** ISO 8601. */
  readonly readAt: string;
  /** What the guest was given. */
  readonly memoryBytes: number;
  readonly runningMs: number;
  readonly cpuMs: number;
  readonly diskReadBytes: number;
  readonly diskWrittenBytes: number;
  readonly network: GuestNetworkUsage | undefined;
}

/** The guest counts from each boot of its own, of which a run may have several. */
export interface GuestNetworkUsage {
  readonly guestBootId: string;
  /** Since that boot. */
  readonly traffic: NetworkTraffic;
  /** Of the boots before it in this run. */
  readonly before: NetworkTraffic;
}

/** What the guest says of its network cards. */
export interface GuestNetworkReading {
  readonly guestBootId: string;
  readonly traffic: NetworkTraffic;
}

/** A run as it was met; all figures count from its start. */
export interface RunReading {
  readonly key: RunKey;
  readonly readAt: string;
  readonly memoryBytes: number;
  readonly runningMs: number;
  readonly cpuMs: number;
  readonly disk: { readonly readBytes: number; readonly writtenBytes: number } | undefined;
  readonly network: GuestNetworkReading | undefined;
}

export const NO_USAGE: UsageTotals = {
  runs: 0,
  unseenEnds: 0,
  runningMs: 0,
  cpuMs: 0,
  memoryByteMs: 0,
  diskReadBytes: 0,
  diskWrittenBytes: 0,
  network: undefined,
};

/** The ledger of a machine that was never met running. */
export function emptyLedger(owner: LedgerOwner): UsageLedger {
  return {
    format: LEDGER_FORMAT,
    ...owner,
    destroyedAt: undefined,
    settled: NO_USAGE,
    run: undefined,
    settledRun: undefined,
  };
}

export function isSameRun(a: RunKey | undefined, b: RunKey): boolean {
  return a?.pid === b.pid && a.startTicks === b.startTicks && a.hostBootId === b.hostBootId;
}
