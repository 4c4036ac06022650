import { StateStore } from '../machine/state-store.ts';
import type { Services } from './services.ts';

/** A machine that stands on a box. */
export interface BoxUser {
  readonly projectDir: string;
  readonly machine: string;
}

/** The machines of this user whose disks stand on the box, by its key. */
export async function boxUsers(services: Services): Promise<ReadonlyMap<string, readonly BoxUser[]>> {
  const users = new Map<string, BoxUser[]>();
  for (const { projectDir, machine } of await services.index.list()) {
    const record = await new StateStore(projectDir).read(machine);
    if (record?.box === undefined) continue;
    users.set(record.box.key, [...(users.get(record.box.key) ?? []), { projectDir, machine }]);
  }
  return users;
}
