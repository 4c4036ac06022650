import { startedVolumes } from '../../machine/volume.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';

/** A machine that has a volume, because it runs, or because what is in its memory knows what is on the volume. */
export interface VolumeHolder {
  readonly machine: string;
  readonly isSuspended: boolean;
  /** The project's name when the machine was made. */
  readonly project: string;
}

/** Which machines have the volumes of a project now, by the volume's name. Observed; waits for no lock. */
export async function volumeHolders(
  { states }: Project,
  { providers }: Services,
): Promise<ReadonlyMap<string, VolumeHolder>> {
  const holders = new Map<string, VolumeHolder>();
  for (const name of await states.list()) {
    // What a damaged one has is not known: QEMU's lock on the disk is the last defence.
    const record = await states.readIfWhole(name);
    const volumes = record === undefined ? [] : startedVolumes(record);
    if (record === undefined || volumes.length === 0) continue;
    const observed = await providers[record.provider].state({ record, layout: states.layout(name) });
    if (observed.kind === 'stopped' || observed.kind === 'broken') continue;
    const { machine, project } = record;
    for (const volume of volumes) {
      holders.set(volume.name, { machine, isSuspended: observed.kind === 'suspended', project });
    }
  }
  return holders;
}

/** What the holder of a volume does, and how it gives the volume up, for an error. */
export function explainHolder({ machine, isSuspended }: VolumeHolder): { doing: string; hint: string } {
  if (!isSuspended) return { doing: 'runs', hint: `vm halt ${machine} gives it up` };
  const hint = `vm resume ${machine}, then vm halt ${machine} gives it up; vm halt ${machine} alone discards its memory`;
  return { doing: 'is suspended', hint };
}
