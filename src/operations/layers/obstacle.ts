import { stat } from 'node:fs/promises';
import type { Box } from '../../boxes/box.ts';
import { unlessMissing } from '../../host/files.ts';
import type { DiskSpec } from '../../machinefile/spec.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';

interface DiskOwner {
  readonly disks: readonly Pick<DiskSpec, 'name' | 'format'>[];
}

/** Why the states of a machine's disks are not kept for others; undefined where they are. */
export async function findObstacle(
  project: Project,
  { spec, box }: { readonly spec: DiskOwner; readonly box: Box | undefined },
  services: Services,
): Promise<string | undefined> {
  return machineObstacle(spec, box) ?? (await placeObstacle(project, services));
}

/** As far as it is the machine's own. Pure. */
export function machineObstacle({ disks }: DiskOwner, box: Box | undefined): string | undefined {
  if (box === undefined) return 'it is installed by hand';
  if (box.seed !== 'machinefile') return `the box ${box.name} keeps who a machine is on its disk`;
  const raw = disks.find(({ format }) => format === 'raw');
  return raw === undefined ? undefined : `its disk ${raw.name} is raw, which nothing can stand on`;
}

/** A frozen disk goes from the project's folder into the store by a rename. */
async function placeObstacle({ projectDir }: Project, { dirs }: Services): Promise<string | undefined> {
  const [project, home] = await Promise.all([stat(projectDir), unlessMissing(stat(dirs.homeDir))]);
  if (home === undefined || project.dev === home.dev) return undefined;
  return `${projectDir} is on another file system than ${dirs.homeDir}`;
}
