import { lockMachine } from '../machine-lock.ts';
import { type Project, requireMachine } from '../project.ts';
import type { Services } from '../services.ts';
import { snapshotStore } from './disks.ts';
import { type ChosenSnapshot, findSnapshot, removeSnapshot } from './find.ts';

/** Takes a snapshot away. The machine, and snapshots that were made after it, stay as they are. */
export async function deleteSnapshot(
  project: Project,
  { machine: name, snapshot }: ChosenSnapshot,
  services: Services,
): Promise<void> {
  await using _lock = await lockMachine(project, { name, purpose: 'vm snapshot delete' }, services);
  const machine = await requireMachine(project, name);
  const { id } = findSnapshot(await snapshotStore(machine).list(), machine, snapshot.id);
  await removeSnapshot(project, name, id);
}
