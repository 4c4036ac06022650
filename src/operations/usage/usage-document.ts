import { totalsOf } from '../../machine/usage-folding.ts';
import type { UsageLedger } from '../../machine/usage-ledger.ts';

const MS_PER_HOUR = 3_600_000;
const BYTES_PER_GIB = 2 ** 30;

/** One machine as `vm usage --json` prints it. Nothing here is more than what happened. */
export interface MachineUsage {
  readonly machine: string;
  /** Its folder. */
  readonly project: string;
  readonly id: string;
  readonly provider: string;
  readonly box: string | null;
  /** The machine of the Machinefile that it is a replica of. */
  readonly replica_of: string | null;
  /** ISO 8601. */
  readonly created_at: string;
  /** ISO 8601; null also for one whose folder was removed without `vm destroy`. */
  readonly destroyed_at: string | null;
  readonly exists: boolean;
  readonly running: boolean;
  readonly runs: number;
  /** Runs of which the end was not seen, so that what they used at last is missing. */
  readonly unseen_ends: number;
  readonly running_hours: number;
  readonly cpu_seconds: number;
  /** Memory that it was given, not what it used of it. */
  readonly memory_gib_hours: number;
  /** What its files take on this host now. */
  readonly disk_bytes: number;
  readonly disk_read_bytes: number;
  readonly disk_written_bytes: number;
  /** As the guest counted when it was last asked; null where it never was. */
  readonly network_in_bytes: number | null;
  readonly network_out_bytes: number | null;
}

/** What was observed of a machine beside its ledger. */
export interface ObservedMachine {
  readonly exists: boolean;
  readonly isRunning: boolean;
  readonly diskBytes: number;
}

/** Pure. */
export function usageDocument(ledger: UsageLedger, { exists, isRunning, diskBytes }: ObservedMachine): MachineUsage {
  const totals = totalsOf(ledger);
  return {
    machine: ledger.machine,
    project: ledger.projectDir,
    id: ledger.id,
    provider: ledger.provider,
    box: ledger.box ?? null,
    replica_of: ledger.replicaOf ?? null,
    created_at: ledger.createdAt,
    // A destruction that was interrupted before it removed anything is none.
    destroyed_at: exists ? null : (ledger.destroyedAt ?? null),
    exists,
    running: isRunning,
    runs: totals.runs,
    unseen_ends: totals.unseenEnds,
    running_hours: roundDown(totals.runningMs / MS_PER_HOUR, 6),
    cpu_seconds: roundDown(totals.cpuMs / 1000, 2),
    memory_gib_hours: roundDown(totals.memoryByteMs / BYTES_PER_GIB / MS_PER_HOUR, 6),
    disk_bytes: diskBytes,
    disk_read_bytes: totals.diskReadBytes,
    disk_written_bytes: totals.diskWrittenBytes,
    network_in_bytes: totals.network?.inBytes ?? null,
    network_out_bytes: totals.network?.outBytes ?? null,
  };
}

function roundDown(amount: number, digits: number): number {
  return Math.floor(amount * 10 ** digits) / 10 ** digits;
}
