import { UsageError } from '../errors.ts';
import { placeOf } from '../machinefile/forms/box.ts';
import { lockKey } from '../machinefile/lockfile.ts';
import type { BoxReference } from '../machinefile/spec.ts';
import { type Project, requireSpec } from './project.ts';

/**
 * The boxes that the Machinefile asks for, as the lockfile calls them: those named, or all.
 * @throws UsageError for a box that it does not ask for; the Machinefile's own error.
 */
export function askedBoxes(project: Project, names: readonly string[]): Map<string, BoxReference> {
  const { machines, groups } = requireSpec(project);
  const declared = [...machines, ...groups.map(({ template }) => template)];
  const references = new Map(
    declared.flatMap(({ box }): [string, BoxReference][] =>
      box === undefined ? [] : [[lockKey(box, project.projectDir), box]],
    ),
  );
  const isMeant = (name: string) => (entry: [string, BoxReference]) => entry[0] === name || placeOf(entry[1]) === name;
  const unknown = names.find((name) => ![...references].some(isMeant(name)));
  if (unknown !== undefined) {
    throw new UsageError(`the Machinefile asks for no box ${unknown}`, {
      hint: `its boxes: ${[...references.keys()].join(', ')}`,
    });
  }
  return new Map([...references].filter((entry) => names.length === 0 || names.some((name) => isMeant(name)(entry))));
}
