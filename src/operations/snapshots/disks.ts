import { stampOf } from '../../machine/disk-stamp.ts';
import { type FreezableDisk, overlayPathFor, type ResetDisk } from '../../machine/frozen-disk.ts';
import type { MachineRecord } from '../../machine/record.ts';
import type { Snapshot, SnapshotDisk } from '../../machine/snapshot.ts';
import { SnapshotStore } from '../../machine/snapshot-store.ts';
import type { RecordedMachine } from '../../providers/provider.ts';
import { freezableDisks } from '../layers/freezing.ts';

export function snapshotStore({ layout }: Pick<RecordedMachine, 'layout'>): SnapshotStore {
  return new SnapshotStore(layout.machineDir);
}

/** The disks of a machine, root first, and where they go when they are frozen into a snapshot. */
export function disksInto({ record, layout }: RecordedMachine, id: string): FreezableDisk[] {
  const store = snapshotStore({ layout });
  const target = { diskPath: (diskId: string) => store.diskPath(id, diskId) };
  return freezableDisks(record, layout, target).map((disk) => ({
    ...disk,
    reference: store.diskReference(id, disk.id),
  }));
}

/** The disks of a machine that go back to a snapshot: those that it has. */
export function disksBackTo(
  machine: RecordedMachine,
  { id, disks }: Pick<Snapshot, 'id' | 'disks'>,
  attempt: string,
): ResetDisk[] {
  return disksInto(machine, id)
    .filter((disk) => disks.some((kept) => kept.id === disk.id))
    .map((disk) => ({ ...disk, overlayPath: overlayPathFor(disk, attempt) }));
}

/** By which frozen disks are told to be as they were frozen. Those that are gone are left out. */
export async function stampDisks(disks: readonly FreezableDisk[]): Promise<SnapshotDisk[]> {
  const stamps = await Promise.all(
    disks.map(async ({ id, frozenPath }) => {
      const stamp = await stampOf(frozenPath);
      return stamp && { id, bytes: stamp.bytes, modifiedNs: stamp.modifiedNs };
    }),
  );
  return stamps.filter((stamp) => stamp !== undefined);
}

/** The snapshots that a machine stands on, or may. */
export function placesOf({ snapshot, savingSnapshot }: MachineRecord): string[] {
  return [snapshot, savingSnapshot].filter((id) => id !== undefined);
}
