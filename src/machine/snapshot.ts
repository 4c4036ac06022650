import type { MachineRecord } from './record.ts';

/** The number of the stored format; a change of the shape below raises it. */
export const SNAPSHOT_FORMAT = 1;

/** A state of a machine that one can go back to: its disks, as they were, and what was in its memory. */
export interface Snapshot {
  readonly format: typeof SNAPSHOT_FORMAT;
  /** Also the name of its folder. */
  readonly id: string;
  /** Unique among those of the machine. */
  readonly name: string;
  /** What the machine stood on when it was made; absent: on no snapshot. */
  readonly parentId?: string | undefined;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly description?: string | undefined;
  /** Made by `push`: `pop` goes back to it. */
  readonly isPushed: boolean;
  readonly hasMemory: boolean;
  /** The root disk first. */
  readonly disks: readonly SnapshotDisk[];
  readonly facts: SnapshotFacts;
}

/** A frozen disk of a snapshot, and by what it is told that nobody has written to it since. */
export interface SnapshotDisk {
  readonly id: string;
  readonly bytes: number;
  /** Nanoseconds; too many digits for a number. */
  readonly modifiedNs: string;
}

/** What is true of the disks, and so comes back with them. */
const DISK_FACTS = [
  'steps',
  'environmentFingerprint',
  'hostsFingerprint',
  'isEntered',
  'isCloudInitDone',
  'disks',
] as const satisfies readonly (keyof MachineRecord)[];

/** What is true of a machine that runs, and so comes back with its memory. */
const MEMORY_FACTS = ['started', 'nics', 'ssh'] as const satisfies readonly (keyof MachineRecord)[];

export type SnapshotFacts = Pick<MachineRecord, (typeof DISK_FACTS)[number] | (typeof MEMORY_FACTS)[number]>;

/** What of a record is kept in a snapshot. Pure. */
export function snapshotFacts(record: MachineRecord): SnapshotFacts {
  return pick(record, [...DISK_FACTS, ...MEMORY_FACTS]);
}

/**
 * The record of a machine that has gone back to a snapshot. Own disks that the snapshot does not have were made later: they
 * keep what is on them. Pure.
 */
export function restoredRecord(record: MachineRecord, { id, facts, hasMemory }: Snapshot): MachineRecord {
  const { started, nics, ssh, ...ofDisks } = pick(facts, [...DISK_FACTS, ...MEMORY_FACTS]);
  const later = (record.disks ?? []).filter(({ name }) => !facts.disks?.some((disk) => disk.name === name));
  return {
    ...record,
    ...Object.fromEntries(DISK_FACTS.map((key) => [key, undefined])),
    ...ofDisks,
    ...(hasMemory && { started, ssh, ...(nics && { nics }) }),
    disks: [...(facts.disks ?? []), ...later],
    snapshot: id,
    ready: undefined,
    volumesSeenBy: undefined,
  };
}

function pick<T extends object, K extends keyof T>(from: T, keys: readonly K[]): Pick<T, K> {
  // Those that are absent stay so.
  return Object.fromEntries(keys.filter((key) => key in from).map((key) => [key, from[key]])) as Pick<T, K>;
}
