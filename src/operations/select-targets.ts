import { UsageError } from '../errors.ts';
import type { Target } from './project.ts';

/** Whether one of the patterns is the machine's own name, or that of all replicas. */
export function isNamed({ name, replica }: Pick<Target, 'name' | 'replica'>, patterns: readonly string[]): boolean {
  return patterns.includes(name) || (replica !== undefined && patterns.includes(replica.of));
}

/**
 * The targets that the patterns select: a name any, a glob (with `*` and `?`) those that take part, or exist all the
 * same, so that none is left running unnoticed. Without patterns all of these. The name in the Machinefile means all
 * replicas; `groups` are such names, which may stand for none.
 * @throws UsageError for a pattern that matches nothing.
 */
export function selectTargets(
  targets: readonly Target[],
  patterns: readonly string[],
  groups: readonly string[] = [],
): Target[] {
  const isCandidate = ({ exists, isActive }: Target) => exists || isActive;
  if (patterns.length === 0) return targets.filter(isCandidate);
  const selectors = patterns.map((pattern) => {
    const matcher = compilePattern(pattern);
    return (target: Target) => isNamed(target, [pattern]) || (isCandidate(target) && matcher.test(target.name));
  });
  const unmatched = patterns.find(
    (pattern, index) => !groups.includes(pattern) && !targets.some((target) => selectors[index]?.(target)),
  );
  if (unmatched !== undefined) {
    const names = targets.map(({ name }) => name).join(', ');
    throw new UsageError(`no machine is called ${unmatched}`, {
      hint: names === '' ? 'this project has no machines' : `machines of this project: ${names}`,
    });
  }
  return targets.filter((target) => selectors.some((selects) => selects(target)));
}

function compilePattern(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`);
}

/**
 * The one machine meant: the named one, else the primary, else the only one.
 * @throws UsageError when that leaves a choice.
 */
export function selectOne(
  targets: readonly Target[],
  name: string | undefined,
  groups: readonly string[] = [],
): Target {
  const candidates =
    name === undefined ? preferPrimary(selectTargets(targets, [])) : selectTargets(targets, [name], groups);
  const [first, second] = candidates;
  if (first !== undefined && second === undefined) return first;
  if (first === undefined) throw noneMeant(name ?? groups[0]);
  throw new UsageError(`which machine? ${candidates.map((target) => target.name).join(', ')}`, {
    hint: name === undefined ? 'name one, or set primary: true on one of them' : 'name one of them',
  });
}

function noneMeant(group: string | undefined): UsageError {
  if (group === undefined)
    return new UsageError('this project has no machines', { hint: 'vm init writes a Machinefile' });
  return new UsageError(`${group} has no replicas`, { hint: `vm scale ${group}=1 makes one` });
}

function preferPrimary(targets: readonly Target[]): readonly Target[] {
  const primary = targets.filter(({ spec }) => spec?.primary);
  return primary.length > 0 ? primary : targets;
}
