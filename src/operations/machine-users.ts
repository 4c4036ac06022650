import { StateError } from '../errors.ts';
import type { MachineRecord } from '../machine/record.ts';
import { StateStore } from '../machine/state-store.ts';
import type { Services } from './services.ts';

/** A machine that stands on a box or a layer. */
export interface MachineUser {
  readonly projectDir: string;
  readonly machine: string;
}

export interface MachineUsers {
  /** The machines that stand on a thing, by its key. */
  readonly byKey: ReadonlyMap<string, readonly MachineUser[]>;
  /** Machines with a damaged record: they may stand on any. */
  readonly unknown: readonly MachineUser[];
}

/** Which machines of this user stand on which things, as their records say. */
export async function machineUsers(
  keysOf: (record: MachineRecord) => readonly string[],
  services: Services,
): Promise<MachineUsers> {
  const byKey = new Map<string, MachineUser[]>();
  const unknown: MachineUser[] = [];
  for (const { projectDir, machine } of await services.index.list()) {
    const user = { projectDir, machine };
    try {
      const record = await new StateStore(projectDir).read(machine);
      for (const key of new Set(record && keysOf(record))) byKey.set(key, [...(byKey.get(key) ?? []), user]);
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
      unknown.push(user);
    }
  }
  return { byKey, unknown };
}

/** @throws StateError if a machine may stand on anything. @param what “the box tiny”, “some boxes”. */
export function checkAllKnown(what: string, { unknown }: MachineUsers): void {
  if (unknown.length === 0) return;
  throw new StateError(`${what} may be in use by ${formatUsers(unknown)}, whose record is damaged`, {
    hint: 'vm destroy removes such a machine',
  });
}

export function formatUsers(users: readonly MachineUser[]): string {
  return users.map(({ machine, projectDir }) => `${machine} in ${projectDir}`).join(', ');
}
