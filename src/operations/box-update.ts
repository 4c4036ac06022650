import { BoxChoice } from './box-lock.ts';
import type { Project } from './project.ts';
import { askedBoxes } from './project-boxes.ts';
import type { Services } from './services.ts';

export interface BoxUpdate {
  /** As the lockfile calls it. */
  readonly box: string;
  /** The version that was locked before; null where none was. */
  readonly from: string | null;
  readonly to: string;
  readonly isNew: boolean;
}

/**
 * Locks the newest boxes within what the Machinefile allows: those named, or all. Machines that exist keep theirs.
 * @throws UsageError for a box that the Machinefile does not ask for; VmError if one cannot be had: nothing is locked then.
 */
export async function updateBoxes(
  project: Project,
  names: readonly string[],
  services: Services,
): Promise<readonly BoxUpdate[]> {
  const choice = await BoxChoice.open(project.projectDir, services);
  const updates: BoxUpdate[] = [];
  for (const [key, reference] of askedBoxes(project, names)) {
    const { before, box } = await choice.renew(reference);
    updates.push({ box: key, from: before?.version ?? null, to: box.version, isNew: before?.sha256 !== box.digest });
  }
  await choice.close('write');
  return updates;
}
