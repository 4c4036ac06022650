import { inPhase } from '../../context.ts';
import type { MachineRecord } from '../../machine/record.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import { handleOf } from '../../providers/provider.ts';
import { environmentFingerprint, writeGuestEnvironment } from '../../provisioners/environment.ts';
import { closeSharedConnection, type LazyGuest } from '../guest.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';

/** Brings the machine's `environment` into the guest, if it is not there yet. Returns the record as written. */
export async function applyEnvironment(
  project: Project,
  { spec, record, guest }: { readonly spec: MachineSpec; readonly record: MachineRecord; readonly guest: LazyGuest },
  services: Services,
): Promise<MachineRecord> {
  const fingerprint = environmentFingerprint(spec.environment);
  const isEmpty = Object.keys(spec.environment).length === 0;
  if (record.environmentFingerprint === fingerprint || (isEmpty && record.environmentFingerprint === undefined)) {
    return record;
  }
  await inPhase(services, spec.name, 'environment', async () =>
    writeGuestEnvironment(await guest.communicator(), spec.environment, services.signal),
  );
  // Logins over a connection that is open keep the variables it began with.
  await closeSharedConnection(handleOf({ record, layout: project.states.layout(spec.name) }));
  const applied = { ...record, environmentFingerprint: fingerprint };
  await project.states.write(applied);
  return applied;
}
