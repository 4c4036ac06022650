import { dealPorts } from '../forms/ports.ts';
import { replicaHostname, replicaName, replicaNames } from '../replicas.ts';
import type { DependencySpec, MachineSpec, ProjectSpec, ReplicaGroup } from '../spec.ts';

/** One machine as it is written: with `replicas`, or without. */
export type DeclaredMachine = MachineSpec | ReplicaGroup;

/** Makes the replicas of each group, and what depends on a group depend on all of them. Pure. */
export function expandReplicas(declared: readonly DeclaredMachine[]): Pick<ProjectSpec, 'machines' | 'groups'> {
  const groups = declared.filter((machine) => 'template' in machine);
  const machines = declared.flatMap((machine) => ('template' in machine ? replicasOf(machine) : [machine]));
  return {
    machines: machines.map((machine) => ({
      ...machine,
      dependsOn: machine.dependsOn.flatMap((dependency) => onReplicas(dependency, groups)),
    })),
    groups,
  };
}

function replicasOf(group: ReplicaGroup): MachineSpec[] {
  return Array.from({ length: group.replicas }, (_, index) => replicaOf(group, index + 1));
}

/** One replica, which may also be one more than there are to be. */
export function replicaOf({ template, ports }: ReplicaGroup, number: number): MachineSpec {
  return {
    ...template,
    name: replicaName(template.name, number),
    replica: { of: template.name, number },
    hostname: replicaHostname(template.hostname, number),
    ports: ports.flatMap((range) => dealPorts(range, number)),
    primary: template.primary && number === 1,
  };
}

/** A group without replicas keeps nobody waiting: its name stays, which is that of no machine. */
function onReplicas(dependency: DependencySpec, groups: readonly ReplicaGroup[]): DependencySpec[] {
  const group = groups.find(({ template }) => template.name === dependency.name);
  if (group === undefined || group.replicas === 0) return [dependency];
  return replicaNames(group.template.name, group.replicas).map((name) => ({ ...dependency, name }));
}
