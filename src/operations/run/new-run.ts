import { randomBytes } from 'node:crypto';
import { UsageError } from '../../errors.ts';
import { nameOfMaker } from '../../host/maker.ts';
import type { RunStore } from '../../machine/run-store.ts';
import { machineName } from '../../machinefile/schema/scalars.ts';
import type { MachineSettings } from '../../machinefile/source.ts';
import { yamlText } from '../../machinefile/yaml-text.ts';

export interface NewRun {
  /** Absent: one is made up that begins with `prefix`. */
  readonly name: string | undefined;
  readonly prefix: string;
  /** What the Machinefile says of the machine. */
  readonly settings: MachineSettings;
  /** Nothing of it stays at the end. */
  readonly isRemoved: boolean;
}

/** A run as it was made. */
export interface MadeRun {
  readonly name: string;
  readonly maker: string;
}

/** Writes the project of a new run. @throws UsageError for a name that is taken, or is none. */
export async function createRun(runs: RunStore, run: NewRun): Promise<MadeRun> {
  if (run.name !== undefined && !new RegExp(machineName.pattern).test(run.name))
    throw new UsageError(`“${run.name}” is not a name of a machine`, { hint: machineName.description });
  const maker = nameOfMaker();
  for (;;) {
    const name = run.name ?? `${run.prefix}-${randomBytes(3).toString('hex')}`;
    const text = yamlText({ machines: { [name]: run.settings } });
    const record = { format: 1, maker, isRemoved: run.isRemoved } as const;
    if (await runs.create(name, text, record)) return { name, maker };
    if (run.name !== undefined)
      throw new UsageError(`there is a run called ${name} already`, { hint: `vm destroy ${name} removes it` });
  }
}

const PREFIX_MAX_LENGTH = 40;

/** How runs of a box are called: `debian-12` of `debian/12`, `router` of `/images/router.qcow2`. Pure. */
export function runPrefix(place: string): string {
  const isFile = place.startsWith('/') || place.includes('://');
  const name = isFile ? (place.split(/[?#]/, 1)[0] ?? '').replace(/.*\//, '').replace(/\..*$/, '') : place;
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  return plain.slice(0, PREFIX_MAX_LENGTH).replaceAll(/^-+|-+$/g, '') || 'run';
}
