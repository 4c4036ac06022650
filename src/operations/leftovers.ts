import { lockMachine } from './machine-lock.ts';
import type { Project } from './project.ts';
import type { Services } from './services.ts';
import { lockVolumes } from './volumes/hold.ts';

/**
 * Removes what killed commands left of machines that they were making or removing, if `isMeant`. Each command does that
 * for the machines that it works on; this is for those that none may come back to, because nothing names them any more.
 * A machine that exists is not touched.
 */
export async function clearLeftovers(
  project: Project,
  { isMeant, purpose }: { readonly isMeant: (machine: string) => boolean; readonly purpose: string },
  services: Services,
): Promise<void> {
  for (const name of (await project.states.listLeftovers()).filter(isMeant)) {
    await using _lock = await lockMachine(project, { name, purpose }, services);
    await project.states.removeLeftovers(name);
  }
}

/** The same for volumes, whoever names them: what was left of one that was being removed may take much space. */
export async function clearVolumeLeftovers(project: Project, purpose: string, services: Services): Promise<void> {
  const { volumes } = project.states;
  for (const name of await volumes.listLeftovers()) {
    await using _lock = await lockVolumes(project, [name], { purpose, services });
    await volumes.removeLeftovers(name);
  }
}
