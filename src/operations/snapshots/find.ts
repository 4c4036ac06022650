import { StateError } from '../../errors.ts';
import type { Snapshot } from '../../machine/snapshot.ts';
import { nearestVisible, type StoredSnapshot, visible } from '../../machine/snapshot-tree.ts';
import { alternatives } from '../../machinefile/suggest.ts';
import type { RecordedMachine } from '../../providers/provider.ts';
import { findTarget, listTargets, type Project, requireMachine } from '../project.ts';
import { placesOf, snapshotStore } from './disks.ts';

/** A snapshot, and whose it is. */
export interface ChosenSnapshot {
  readonly machine: string;
  readonly snapshot: Snapshot;
}

/** What a user may say of a machine and its snapshot; with a single word either. */
export interface SnapshotWords {
  readonly machine: string | undefined;
  readonly name: string | undefined;
}

/** A single word is a machine where there is one of that name. */
export async function readWords(project: Project, words: readonly string[]): Promise<SnapshotWords> {
  const [first, second] = words;
  if (second !== undefined) return { machine: first, name: second };
  const isMachine = (await listTargets(project)).some(({ name }) => name === first);
  return isMachine ? { machine: first, name: undefined } : { machine: undefined, name: first };
}

/** The snapshot that is meant, to ask before it is gone back to or taken away. Waits for no lock. */
export async function chooseSnapshot(
  project: Project,
  words: SnapshotWords | { readonly machine: string | undefined; readonly isPushed: true },
): Promise<ChosenSnapshot> {
  const { name } = await findTarget(project, words.machine);
  const machine = await requireMachine(project, name);
  const stored = await snapshotStore(machine).list();
  const snapshot = 'isPushed' in words ? findPushed(stored, machine) : findSnapshot(stored, machine, words.name);
  return { machine: name, snapshot };
}

/** The snapshot of this name or id; without one that on which the machine stands. @throws StateError if there is none. */
export function findSnapshot(
  stored: readonly StoredSnapshot[],
  { record }: Pick<RecordedMachine, 'record'>,
  name: string | undefined,
): Snapshot {
  const all = visible(stored);
  const found =
    name === undefined
      ? nearestVisible(stored, record.snapshot)
      : all.find((snapshot) => snapshot.name === name || snapshot.id === name);
  if (found !== undefined) return found;
  const { machine } = record;
  if (all.length === 0) {
    throw new StateError(`${machine} has no snapshots`, { hint: `vm snapshot save ${machine} makes one` });
  }
  const names = all.map((snapshot) => snapshot.name);
  const what = name === undefined ? 'stands on no snapshot' : `has no snapshot called “${name}”`;
  throw new StateError(`${machine} ${what}${name === undefined ? '' : alternatives(name, names)}`, {
    hint: `vm snapshot list ${machine} shows them`,
  });
}

/** For `pop`: the one that was pushed last. @throws StateError if none was. */
function findPushed(stored: readonly StoredSnapshot[], { record }: Pick<RecordedMachine, 'record'>): Snapshot {
  const pushed = visible(stored).filter(({ isPushed }) => isPushed);
  const last = pushed.sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1)).at(-1);
  if (last !== undefined) return last;
  throw new StateError(`${record.machine} has no snapshot that was pushed`, {
    hint: `vm snapshot push ${record.machine} makes one; vm snapshot restore goes back to any`,
  });
}

/** Takes a snapshot away; its disks stay as long as anything stands on them. Call with the machine's lock held. */
export async function removeSnapshot(project: Project, name: string, id: string): Promise<void> {
  const machine = await requireMachine(project, name);
  const store = snapshotStore(machine);
  await store.hide(id);
  await store.removeUnused(placesOf(machine.record));
}
