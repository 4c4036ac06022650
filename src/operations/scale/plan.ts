import { UsageError } from '../../errors.ts';
import { replicaNumber, type Scale, type ScaledCount, type WantedReplicas } from '../../machinefile/replicas.ts';
import type { ProjectSpec, ReplicaGroup } from '../../machinefile/spec.ts';
import { alternatives } from '../../machinefile/suggest.ts';
import type { Target } from '../project.ts';

/** @throws UsageError for a machine that cannot be scaled. */
export function checkScalable({ machines, groups }: ProjectSpec, wanted: WantedReplicas): void {
  const names = groups.map(({ template }) => template.name);
  for (const name of wanted.keys()) {
    if (names.includes(name)) continue;
    const machine = machines.find((candidate) => candidate.name === name);
    if (machine?.replica !== undefined) {
      const { of } = machine.replica;
      throw new UsageError(`${name} is a replica of ${of}`, { hint: `vm scale ${of}=N says how many there are` });
    }
    if (machine !== undefined) {
      throw new UsageError(`${name} has no “replicas” in the Machinefile`, {
        hint: `give it replicas: 1 first; its machines are then called ${name}-1, ${name}-2 and so on`,
      });
    }
    throw new UsageError(`no machine is called ${name}${alternatives(name, names)}`);
  }
}

/**
 * What is to be remembered: the numbers that are not those of the Machinefile. What was said of machines that it does
 * not have any more, or before it was edited, is dropped. Pure.
 */
export function scaleOf(groups: readonly ReplicaGroup[]): Scale {
  const entries = groups.map(({ template, declared, replicas }): [string, ScaledCount] => [
    template.name,
    { declared, replicas },
  ]);
  return new Map(entries.filter(([, { declared, replicas }]) => replicas !== declared));
}

/** Whether a machine of this name would be a replica beyond these numbers. Pure. */
export function isBeyond(name: string, wanted: WantedReplicas): boolean {
  return [...wanted].some(([of, count]) => (replicaNumber(name, of) ?? 0) > count);
}

/** A replica that exists though there are to be fewer. */
export interface SurplusReplica {
  readonly name: string;
  readonly of: string;
  /** How many there are to be. */
  readonly wanted: number;
}

/** The replicas that exist beyond these numbers, in the order of the numbers, from the top. Pure. */
export function surplusReplicas(targets: readonly Target[], wanted: WantedReplicas): SurplusReplica[] {
  return [...wanted].flatMap(([of, count]) => {
    const replicas = targets.flatMap(({ name, replica, exists }) =>
      exists && replica?.of === of ? [{ name, number: replica.number }] : [],
    );
    return replicas
      .filter(({ number }) => number > count)
      .sort((a, b) => b.number - a.number)
      .map(({ name }) => ({ name, of, wanted: count }));
  });
}
