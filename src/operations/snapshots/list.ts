import type { Snapshot } from '../../machine/snapshot.ts';
import { nearestVisible, type SnapshotNode, snapshotForest, visible } from '../../machine/snapshot-tree.ts';
import { findTarget, type Project, requireMachine } from '../project.ts';
import { snapshotStore } from './disks.ts';

export interface SnapshotListing {
  readonly machine: string;
  readonly forest: readonly SnapshotNode[];
  /** The one that the machine has gone on from. */
  readonly current: Snapshot | undefined;
  /** Bytes that each takes on disk, by its id. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Bytes of those that were deleted while something stands on them. */
  readonly hiddenBytes: number;
}

/** The snapshots of a machine. Waits for no lock. */
export async function listSnapshots(project: Project, name: string | undefined): Promise<SnapshotListing> {
  const target = await findTarget(project, name);
  const machine = await requireMachine(project, target.name);
  const store = snapshotStore(machine);
  const stored = await store.list();
  const sizes = new Map(await Promise.all(stored.map(async ({ id }) => [id, await store.sizeOf(id)] as const)));
  const shown = new Set(visible(stored).map(({ id }) => id));
  const hidden = [...sizes].filter(([id]) => !shown.has(id));
  return {
    machine: target.name,
    forest: snapshotForest(stored),
    current: nearestVisible(stored, machine.record.snapshot),
    sizes,
    hiddenBytes: hidden.reduce((sum, [, bytes]) => sum + bytes, 0),
  };
}
