import type { MachineRecord } from '../../machine/record.ts';
import { startedVolumes } from '../../machine/volume.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';

/** A machine that has a volume, because it runs. */
export interface VolumeHolder {
  readonly machine: string;
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
    if (observed.kind !== 'running' && observed.kind !== 'paused') continue;
    for (const volume of volumes) holders.set(volume.name, holderOf(record));
  }
  return holders;
}

function holderOf({ machine, project }: MachineRecord): VolumeHolder {
  return { machine, project };
}
