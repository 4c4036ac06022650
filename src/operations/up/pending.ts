import type { Box } from '../../boxes/box.ts';
import { readDiskSize } from '../../boxes/formats/disk-size.ts';
import { StateError } from '../../errors.ts';
import type { Nic } from '../../machine/nics.ts';
import type { MachineRecord } from '../../machine/record.ts';
import { type PendingFacts, type PendingSetting, pendingSettings } from '../../machine/settings.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { plannedVolumes } from '../volumes/planned.ts';

export interface EditedMachine {
  readonly spec: MachineSpec;
  /** That it stands on; absent: none, or it is gone. */
  readonly box: Box | undefined;
  readonly nics: readonly Nic[];
  readonly record: MachineRecord;
  readonly wantedBoxKey: PendingFacts['wantedBoxKey'];
}

/** What was edited since a machine that exists was made, or started, and is not true of it before more is done. */
export async function findPending(
  project: Project,
  { spec, box, nics, record, wantedBoxKey }: EditedMachine,
  services: Pick<Services, 'resolveAccelerator'>,
): Promise<PendingSetting[]> {
  return pendingSettings(record, {
    spec,
    box,
    nics,
    accel: services.resolveAccelerator(spec.accel),
    volumes: plannedVolumes(project, spec),
    forwards: record.forwards,
    wantedBoxKey,
    currentDiskBytes: await currentDiskBytes(project, spec),
  });
}

async function currentDiskBytes({ states }: Project, { name, diskBytes }: MachineSpec): Promise<number | undefined> {
  if (diskBytes === undefined) return undefined;
  try {
    return await readDiskSize(states.layout(name).diskPath);
  } catch (error) {
    // A disk that is damaged is told of when the machine is started.
    if (error instanceof StateError) return undefined;
    throw error;
  }
}

/** What of it stays to be done by the user when a machine was brought up, by whether it had to be started. Pure. */
export function leftByUp(pending: readonly PendingSetting[], isStarted: boolean): PendingSetting[] {
  return isStarted ? pending.filter(({ needs, blocksStart }) => needs === 'recreate' && !blocksStart) : [...pending];
}

/** Says what the machine goes on without, and what applies it. */
export function reportPending(record: MachineRecord, left: readonly PendingSetting[], { reporter }: Services): void {
  const { machine } = record;
  const warn = (text: string) => reporter.report({ type: 'message', level: 'warning', subject: machine, text });
  const named = (wanted: PendingSetting['needs']) =>
    left.flatMap(({ setting, needs }) => (needs === wanted && setting !== 'box' ? [setting] : []));
  const recreate = `vm up --recreate ${machine} changes it and loses what is on the disk`;
  if (left.some(({ setting }) => setting === 'box')) {
    const standing = record.box === undefined ? 'no box' : `${record.box.name} ${record.box.version}`;
    warn(`stands on ${standing}, which is not the box the Machinefile means now; ${recreate}`);
  }
  const fixed = named('recreate');
  if (fixed.length > 0) warn(`changed since it was made: ${fixed.join(', ')}; ${recreate}`);
  const reload = named('reload');
  if (reload.length > 0) warn(`changed since it was started: ${reload.join(', ')}; vm reload ${machine} applies it`);
}
