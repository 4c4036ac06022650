import { inPhase } from '../../context.ts';
import type { MachineRecord } from '../../machine/record.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import { handleOf } from '../../providers/provider.ts';
import { environmentFingerprint, writeGuestEnvironment } from '../../provisioners/environment.ts';
import { closeSharedConnection, type LazyGuest } from '../guest.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';

/** Whether the machine's `environment` is what was last written into the guest. Pure. */
export function isEnvironmentApplied(
  { environment }: Pick<MachineSpec, 'environment'>,
  { environmentFingerprint: written }: Pick<MachineRecord, 'environmentFingerprint'>,
): boolean {
  return (written ?? environmentFingerprint({})) === environmentFingerprint(environment);
}

/** What was written after the start is lost where the guest has rebooted by itself, which nobody sees. */
function isSeeded(
  { environment }: Pick<MachineSpec, 'environment'>,
  { seededEnvironment: seeded }: Pick<MachineRecord, 'seededEnvironment'>,
): boolean {
  return seeded === undefined || seeded === environmentFingerprint(environment);
}

/** Brings the machine's `environment` into the guest, if it is not there yet. Returns the record as written. */
export async function applyEnvironment(
  project: Project,
  { spec, record, guest }: { readonly spec: MachineSpec; readonly record: MachineRecord; readonly guest: LazyGuest },
  services: Services,
): Promise<MachineRecord> {
  if (isEnvironmentApplied(spec, record) && isSeeded(spec, record)) return record;
  await inPhase(services, spec.name, 'environment', async () =>
    writeGuestEnvironment(await guest.communicator(), spec.environment, services.signal),
  );
  // Logins over a connection that is open keep the variables it began with.
  await closeSharedConnection(handleOf({ record, layout: project.states.layout(spec.name) }));
  const applied = { ...record, environmentFingerprint: environmentFingerprint(spec.environment) };
  await project.states.write(applied);
  return applied;
}
