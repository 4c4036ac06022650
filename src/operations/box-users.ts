import { StateError } from '../errors.ts';
import { StateStore } from '../machine/state-store.ts';
import type { Services } from './services.ts';

/** A machine that stands on a box. */
export interface BoxUser {
  readonly projectDir: string;
  readonly machine: string;
}

export interface BoxUsers {
  /** The machines whose disks stand on a box, by its key. */
  readonly byKey: ReadonlyMap<string, readonly BoxUser[]>;
  /** Machines with a damaged record: they may stand on any box. */
  readonly unknown: readonly BoxUser[];
}

/** Which machines of this user stand on which boxes. */
export async function boxUsers(services: Services): Promise<BoxUsers> {
  const byKey = new Map<string, BoxUser[]>();
  const unknown: BoxUser[] = [];
  for (const { projectDir, machine } of await services.index.list()) {
    const user = { projectDir, machine };
    try {
      const record = await new StateStore(projectDir).read(machine);
      if (record?.box !== undefined) byKey.set(record.box.key, [...(byKey.get(record.box.key) ?? []), user]);
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      unknown.push(user);
    }
  }
  return { byKey, unknown };
}
