import type { Problem } from '../../../errors.ts';
import { STEP_TYPES, type StepDocument, stepNameOf, stepTypesOf } from '../../forms/step.ts';
import type { DataPath } from '../../reading/tree.ts';
import {
  isPartial,
  machinesOf,
  type NamedMachine,
  placeOf,
  problemAt,
  problemAtKey,
  type Source,
} from '../../source.ts';

/** Each step has one type and a name of its own, and a script comes from one place. */
export function checkProvision(source: Source): Problem[] {
  return machinesOf(source).flatMap((named) => [
    ...stepsOf(named).flatMap(({ step, path }) => [
      ...checkType(source, step, path),
      ...checkScript(source, step, path),
    ]),
    ...checkNames(source, named),
  ]);
}

function stepsOf({ machine, path }: NamedMachine): { readonly step: StepDocument; readonly path: DataPath }[] {
  return (machine.provision ?? []).map((step, index) => ({ step, path: [...path, 'provision', index] }));
}

function checkType(source: Source, step: StepDocument, path: DataPath): Problem[] {
  const types = stepTypesOf(step);
  if (types.length === 1 || isPartial(source, path)) return [];
  const [, second] = types;
  if (second !== undefined) {
    return [problemAtKey(source, [...path, second], `a step has one type, not ${quoted(types)} (make them two steps)`)];
  }
  return [problemAt(source, path, `a step needs its type (allowed: ${STEP_TYPES.join(', ')})`)];
}

function checkScript(source: Source, { shell }: StepDocument, path: DataPath): Problem[] {
  if (shell === undefined || typeof shell === 'string') return [];
  const at = [...path, 'shell'];
  const origins = (['inline', 'path', 'url'] as const).filter((key) => shell[key] !== undefined);
  if (origins.length !== 1) {
    if (isPartial(source, at)) return [];
    const given = origins.length === 0 ? '' : `, not ${quoted(origins)} together`;
    return [problemAtKey(source, at, `a script needs one of “inline”, “path” and “url”${given}`)];
  }
  if (shell.url !== undefined && shell.checksum === undefined) {
    return [problemAtKey(source, [...at, 'url'], 'a script from a “url” needs its “checksum” (sha256:…)')];
  }
  if (shell.url === undefined && shell.checksum !== undefined) {
    return [problemAtKey(source, [...at, 'checksum'], '“checksum” goes with the “url” of a script')];
  }
  return [];
}

function checkNames(source: Source, named: NamedMachine): Problem[] {
  const steps = stepsOf(named).map(({ step, path }, index) => ({ path, step, name: stepNameOf(step, index) }));
  return steps.flatMap(({ name, step, path }, index) => {
    const other = steps.slice(0, index).find((earlier) => earlier.name === name);
    if (other === undefined) return [];
    const at = step.name === undefined ? path : [...path, 'name'];
    return [problemAt(source, at, `step name “${name}” is given already, at ${placeOf(source, other.path)}`)];
  });
}

function quoted(words: readonly string[]): string {
  return words.map((word) => `“${word}”`).join(' and ');
}
