import type { Box } from '../../boxes/box.ts';
import { StateError, UsageError } from '../../errors.ts';
import { isRun } from '../../machine/run-store.ts';
import { startedVolumes } from '../../machine/volume.ts';
import { isDeclared } from '../../machinefile/clones.ts';
import { machineName } from '../../machinefile/schema/scalars.ts';
import type { MachineSpec, ProjectSpec } from '../../machinefile/spec.ts';
import type { RecordedMachine } from '../../providers/provider.ts';
import { findObstacle } from '../layers/obstacle.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import type { SettledState } from '../suspend/settled-state.ts';

/** A machine that is to be cloned. */
export interface Original {
  readonly machine: RecordedMachine;
  readonly spec: MachineSpec;
  /** That it stands on. */
  readonly box: Box | undefined;
}

/** @throws UsageError for a name that is none, or that the project has, or may have, a machine of. */
export function checkCloneName(name: string, spec: ProjectSpec, existing: readonly string[]): void {
  if (!new RegExp(machineName.pattern).test(name)) {
    throw new UsageError(`“${name}” is not a name of a machine`, { hint: machineName.description });
  }
  if (existing.includes(name)) {
    throw new UsageError(`there is a machine called ${name} already`, { hint: `vm destroy ${name} removes it` });
  }
  if (isDeclared(name, spec)) {
    throw new UsageError(`${name} is a name of the Machinefile`, { hint: 'give the clone a name that is not in it' });
  }
}

/** @throws StateError with what forbids it, and another way. */
export async function checkClonable(
  project: Project,
  { machine, spec, box }: Original,
  services: Services,
): Promise<void> {
  const { record } = machine;
  const volumes = [...spec.volumes, ...startedVolumes(record)].map(({ name }) => name);
  if (volumes.length > 0) {
    const names = [...new Set(volumes)].join(', ');
    throw cannotBeCloned(record.machine, `one machine at a time can have its volume ${names}`, {
      hint: 'give the other machine an entry of its own in the Machinefile, with a volume of its own',
    });
  }
  const disks = [...spec.disks, ...(record.disks ?? [])];
  const reason =
    (await findObstacle(project, { spec: { disks }, box }, services)) ??
    (record.snapshot === undefined ? undefined : 'its disks stand on its snapshots, which belong to it alone') ??
    (isRun(project.projectDir, services.dirs.homeDir)
      ? 'it is of vm run, which makes one machine at a time'
      : undefined);
  if (reason === undefined) return;
  throw cannotBeCloned(record.machine, reason, { hint: packageHint(record.machine) });
}

/** Another way to machines with the same disks. */
export function packageHint(machine: string): string {
  return `vm package ${machine} makes a box of it, of which other machines are made`;
}

/** @throws StateError where its disks are not what it goes on from. */
export function checkState(machine: string, observed: SettledState): void {
  switch (observed.kind) {
    case 'broken':
      throw cannotBeCloned(machine, observed.reason);
    case 'paused':
      throw cannotBeCloned(machine, `it is paused: ${observed.reason}`, { hint: `vm up ${machine} lets it run on` });
    case 'suspended':
      throw cannotBeCloned(machine, 'it is suspended, and its disks are whole only with what was in its memory', {
        hint: `vm resume ${machine}, and clone it then`,
      });
  }
}

function cannotBeCloned(machine: string, reason: string, options?: { readonly hint: string }): StateError {
  return new StateError(`${machine} cannot be cloned: ${reason}`, options);
}
