import type { DependencyCondition, DependencySpec } from '../../machinefile/spec.ts';

/** A machine and what must be there before it. The machines form no circle: that is checked with the Machinefile. */
export interface Ordered {
  readonly name: string;
  readonly dependsOn: readonly DependencySpec[];
}

/** How far a machine has come. */
export type Standing =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'begun'; readonly reached: DependencyCondition | undefined }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly reached: DependencyCondition | undefined }
  /** Because of the machine that failed. */
  | { readonly kind: 'skipped'; readonly because: string };

export type Standings = ReadonlyMap<string, Standing>;

/** What is to be done about a machine that waits. */
export type Turn = { readonly kind: 'wait' } | { readonly kind: 'begin' } | Extract<Standing, { kind: 'skipped' }>;

/** Each includes those before it. */
const CONDITIONS: readonly DependencyCondition[] = ['started', 'provisioned', 'healthy'];

/**
 * Whether a machine can begin. What is not among the standings is nobody's business: it was left out on purpose.
 * A machine that failed after it became what is asked of it is no obstacle.
 */
export function turnOf({ dependsOn }: Ordered, standings: Standings): Turn {
  let turn: Turn = { kind: 'begin' };
  for (const { name, condition } of dependsOn) {
    const standing = standings.get(name);
    if (standing === undefined || isMet(standing, condition)) continue;
    if (standing.kind === 'skipped') return standing;
    if (standing.kind === 'failed') return { kind: 'skipped', because: name };
    turn = { kind: 'wait' };
  }
  return turn;
}

function isMet(standing: Standing, condition: DependencyCondition): boolean {
  if (standing.kind === 'done') return true;
  if (standing.kind !== 'begun' && standing.kind !== 'failed') return false;
  return standing.reached !== undefined && CONDITIONS.indexOf(standing.reached) >= CONDITIONS.indexOf(condition);
}

/** These machines and all that they depend on, each after what it depends on, otherwise in the order of `all`. */
export function withDependencies<T extends Ordered>(all: readonly T[], names: ReadonlySet<string>): T[] {
  const byName = new Map(all.map((machine) => [machine.name, machine]));
  const sorted = new Set<T>();
  const visit = (machine: T): void => {
    for (const { name } of machine.dependsOn) {
      const dependency = byName.get(name);
      if (dependency !== undefined && !sorted.has(dependency)) visit(dependency);
    }
    sorted.add(machine);
  };
  for (const machine of all) if (names.has(machine.name)) visit(machine);
  return [...sorted];
}

/** The same machines, each to come after those that depend on it. */
export function inReverse<T extends Ordered>(machines: readonly T[]): T[] {
  return machines.map((machine) => {
    const dependents = machines.filter(({ dependsOn }) => dependsOn.some(({ name }) => name === machine.name));
    return { ...machine, dependsOn: dependents.map(({ name }) => ({ name, condition: 'started' })) };
  });
}

/** Names of the machines that others among them need to be healthy. */
export function neededHealthy(machines: readonly Ordered[]): Set<string> {
  const needed = machines.flatMap(({ dependsOn }) => dependsOn.filter(({ condition }) => condition === 'healthy'));
  return new Set(needed.map(({ name }) => name));
}
