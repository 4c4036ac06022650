import { UsageError } from '../errors.ts';
import { placeOf } from '../machinefile/forms/box.ts';
import { lockKey } from '../machinefile/lockfile.ts';
import type { BoxReference } from '../machinefile/spec.ts';
import { BoxChoice } from './box-lock.ts';
import { type Project, requireSpec } from './project.ts';
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
  const { projectDir } = project;
  const references = new Map(
    requireSpec(project).machines.flatMap(({ box }): [string, BoxReference][] =>
      box === undefined ? [] : [[lockKey(box, projectDir), box]],
    ),
  );
  const isMeant = (name: string) => (entry: [string, BoxReference]) => entry[0] === name || placeOf(entry[1]) === name;
  const unknown = names.find((name) => ![...references].some(isMeant(name)));
  if (unknown !== undefined) {
    throw new UsageError(`the Machinefile asks for no box ${unknown}`, {
      hint: `its boxes: ${[...references.keys()].join(', ')}`,
    });
  }
  const chosen = [...references].filter((entry) => names.length === 0 || names.some((name) => isMeant(name)(entry)));
  const choice = await BoxChoice.open(projectDir, services);
  const updates: BoxUpdate[] = [];
  for (const [key, reference] of chosen) {
    const { before, box } = await choice.renew(reference);
    updates.push({ box: key, from: before?.version ?? null, to: box.version, isNew: before?.sha256 !== box.digest });
  }
  await choice.close('write');
  return updates;
}
