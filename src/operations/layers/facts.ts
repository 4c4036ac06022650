import type { Box } from '../../boxes/box.ts';
import { VmError } from '../../errors.ts';
import { contentDigest } from '../../host/content-digest.ts';
import { systemErrorCode } from '../../host/files.ts';
import type { Nic } from '../../machine/nics.ts';
import { rootDiskBytes } from '../../machine/plan.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import type { StepSpec } from '../../machinefile/step-spec.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { plannedVolumes } from '../volumes/planned.ts';
import type { MachineFacts } from './keys.ts';

/** What a machine is as long as it is not started; its volumes may only be made then. */
export async function machineFacts(
  project: Project,
  { spec, box, nics }: { readonly spec: MachineSpec; readonly box: Box; readonly nics: readonly Nic[] },
  services: Services,
): Promise<MachineFacts> {
  return {
    spec,
    box,
    accel: services.resolveAccelerator(spec.accel),
    diskBytes: rootDiskBytes(spec, box),
    nics,
    volumes: await volumeFacts(project, spec),
  };
}

/** As they are now. A volume that is not there yet is in no state that somebody could have kept. */
export async function volumeFacts(project: Project, spec: MachineSpec): Promise<MachineFacts['volumes']> {
  return Promise.all(
    plannedVolumes(project, spec).map(async ({ name, guestPath }) => {
      const state = await project.states.volumes.read(name);
      return { guestPath, uuid: state?.kind === 'whole' ? state.record.uuid : `new ${name}` };
    }),
  );
}

/** Of what a step says that it reads, as it is now. @throws VmError where that cannot be read. */
export function readDigestsOf({ name, cache }: StepSpec, { signal }: Pick<Services, 'signal'>): Promise<string[]> {
  return Promise.all(
    (cache?.readPaths ?? []).map(async (path) => {
      try {
        return await contentDigest(path, signal);
      } catch (cause) {
        if (systemErrorCode(cause) === undefined) throw cause;
        const reason = systemErrorCode(cause) === 'ENOENT' ? 'does not exist' : `cannot be read: ${cause}`;
        throw new VmError(`the step ${name} reads ${path}, which ${reason}`, { cause });
      }
    }),
  );
}
