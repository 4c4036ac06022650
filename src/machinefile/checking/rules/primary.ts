import type { Problem } from '../../../errors.ts';
import { machinesOf, problemAt, type Source } from '../../source.ts';

/** At most one machine is the primary one. */
export function checkPrimary(source: Source): Problem[] {
  const [first, ...others] = machinesOf(source).filter(({ machine }) => machine.primary === true);
  if (first === undefined) return [];
  return others.map(({ path }) =>
    problemAt(source, [...path, 'primary'], `only one machine can be primary, and “${first.name}” is it already`),
  );
}
