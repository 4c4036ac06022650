import type { Problem } from '../../../errors.ts';
import type { DataPath } from '../../reading/tree.ts';
import { replicaNumber } from '../../replicas.ts';
import { isGiven, machinesOf, type NamedMachine, problemAt, problemAtKey, type Source } from '../../source.ts';
import type { DependencySpec } from '../../spec.ts';
import { alternatives } from '../../suggest.ts';

interface Dependency extends DependencySpec {
  readonly path: DataPath;
}

/** Machines in `depends_on` exist, can become what is asked of them, and do not wait for each other. */
export function checkDependencies(source: Source): Problem[] {
  const machines = machinesOf(source);
  return [...machines.flatMap((named) => checkTargets(source, named)), ...checkCycles(source, machines)];
}

function dependenciesOf({ machine, path }: NamedMachine): Dependency[] {
  const { depends_on: dependsOn = [] } = machine;
  const at = [...path, 'depends_on'];
  if (Array.isArray(dependsOn)) {
    return dependsOn.map((name, index) => ({ name, condition: 'started', path: [...at, index] }));
  }
  return Object.entries(dependsOn).map(([name, condition]) => ({ name, condition, path: [...at, name] }));
}

function checkTargets(source: Source, named: NamedMachine): Problem[] {
  const machines = machinesOf(source);
  const names = machines.map((machine) => machine.name);
  return dependenciesOf(named).flatMap(({ name, condition, path }) => {
    if (!isGiven(source, ['machines', name])) {
      const group = machines.find(
        ({ replicas, ...machine }) => replicas !== undefined && replicaNumber(name, machine.name),
      );
      const cure = group ? ` (write “${group.name}”, which means all of its replicas)` : alternatives(name, names);
      return [problemAtKey(source, path, `there is no machine “${name}”${cure}`)];
    }
    const mistake = mistakeIn(source, { name, condition });
    return mistake === undefined ? [] : [problemAt(source, path, mistake)];
  });
}

/** Why the machine never becomes what is asked of it. */
function mistakeIn(source: Source, { name, condition }: DependencySpec): string | undefined {
  if (condition === 'started') return undefined;
  const at = ['machines', name];
  if (condition === 'healthy' && !isGiven(source, [...at, 'healthcheck'])) {
    return `machine “${name}” has no “healthcheck”, so it never is healthy`;
  }
  const isInstalledByHand = isGiven(source, [...at, 'cdrom']) && !isGiven(source, [...at, 'box']);
  return isInstalledByHand
    ? `machine “${name}” has no “box”, so vm does not log in to it (allowed: started)`
    : undefined;
}

/** Reports each circle once, at the dependency that closes it. */
function checkCycles(source: Source, machines: readonly NamedMachine[]): Problem[] {
  const dependencies = new Map(machines.map((named) => [named.name, dependenciesOf(named)]));
  const problems: Problem[] = [];
  const finished = new Set<string>();
  const visit = (name: string, chain: readonly string[]): void => {
    if (finished.has(name)) return;
    for (const dependency of dependencies.get(name) ?? []) {
      const start = [...chain, name].indexOf(dependency.name);
      if (start < 0) {
        visit(dependency.name, [...chain, name]);
        continue;
      }
      const circle = [...[...chain, name].slice(start), dependency.name].join(' → ');
      problems.push(problemAtKey(source, dependency.path, `machines wait for each other: ${circle}`));
    }
    finished.add(name);
  };
  for (const { name } of machines) visit(name, []);
  return problems;
}
