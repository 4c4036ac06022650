import type { Snapshot } from './snapshot.ts';

/** A folder of a snapshot. */
export interface StoredSnapshot {
  readonly id: string;
  /** Undefined where its description is gone: nobody knows what it stands on. */
  readonly snapshot: Snapshot | undefined;
  /** One that is hidden is only there for what stands on it: it was deleted, or never finished. */
  readonly isHidden: boolean;
}

export interface SnapshotNode {
  readonly snapshot: Snapshot;
  readonly children: readonly SnapshotNode[];
}

/** The snapshots that can be gone back to, each below the nearest one that it was made after; older ones first. Pure. */
export function snapshotForest(stored: readonly StoredSnapshot[]): SnapshotNode[] {
  const shown = visible(stored).sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
  const below = (parentId: string | undefined): SnapshotNode[] =>
    shown
      .filter((snapshot) => nearestVisible(stored, snapshot.parentId)?.id === parentId)
      .map((snapshot) => ({ snapshot, children: below(snapshot.id) }));
  return below(undefined);
}

export function visible(stored: readonly StoredSnapshot[]): Snapshot[] {
  return stored.flatMap(({ snapshot, isHidden }) => (isHidden || snapshot === undefined ? [] : [snapshot]));
}

/** The snapshot of this id, or the nearest that it stands on which is not hidden. Pure. */
export function nearestVisible(stored: readonly StoredSnapshot[], id: string | undefined): Snapshot | undefined {
  return lineage(stored, id).find(({ isHidden }) => !isHidden)?.snapshot;
}

/** The snapshot of this id and all that it stands on, as far as they are known; the nearest first. Pure. */
export function lineage(stored: readonly StoredSnapshot[], id: string | undefined): StoredSnapshot[] {
  const found: StoredSnapshot[] = [];
  let nextId = id;
  while (nextId !== undefined) {
    const next = stored.find((candidate) => candidate.id === nextId);
    if (next === undefined || found.includes(next)) break;
    found.push(next);
    nextId = next.snapshot?.parentId;
  }
  return found;
}

/**
 * The folders that nothing stands on any more: neither the machine, whose places are `roots`, nor a snapshot that can be
 * gone back to. None where it is not known what one of these stands on. Pure.
 */
export function unusedSnapshots(stored: readonly StoredSnapshot[], roots: readonly string[]): StoredSnapshot[] {
  const starts = [...roots, ...visible(stored).map(({ id }) => id)];
  const used = new Set(starts.flatMap((id) => lineage(stored, id)));
  const isKnown = [...used].every(({ snapshot }) => snapshot !== undefined);
  return isKnown ? stored.filter((entry) => !used.has(entry)) : [];
}
