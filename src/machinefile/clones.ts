import { replicaNumber } from './replicas.ts';
import { replicaOf } from './resolving/expand-replicas.ts';
import type { MachineSpec, PortSpec, ProjectSpec } from './spec.ts';

/** Of which machine of the Machinefile each clone is, by the clones' names. */
export type Clones = ReadonlyMap<string, string>;

/**
 * The project with its clones behind its machines, each as its original is written. Left out are those whose original has
 * left the Machinefile, and those with a name that this has given to a machine of its own since. Pure.
 */
export function withClones(project: ProjectSpec, clones: Clones): ProjectSpec {
  const specs = [...clones].flatMap(([name, of]) => {
    const original = isDeclared(name, project) ? undefined : findOriginal(of, project);
    return original === undefined ? [] : [cloneSpec(original, name)];
  });
  return { ...project, machines: [...project.machines, ...specs] };
}

/** Whether the Machinefile has a machine, or replicas, of this name, or may have a replica of it. */
export function isDeclared(name: string, { machines, groups }: ProjectSpec): boolean {
  const isOf = (group: string) => name === group || replicaNumber(name, group) !== undefined;
  return (
    machines.some((machine) => machine.name === name && machine.cloneOf === undefined) ||
    groups.some(({ template }) => isOf(template.name))
  );
}

/** A replica beyond the number that there are to be is what it would be among them. */
function findOriginal(name: string, { machines, groups }: ProjectSpec): MachineSpec | undefined {
  const replicas = groups.flatMap((group) => {
    const number = replicaNumber(name, group.template.name);
    return number === undefined ? [] : [replicaOf(group, number)];
  });
  return [...machines, ...replicas].find((machine) => machine.name === name);
}

/** A clone of a machine, which may be one itself. What may be but once is chosen anew, as where nothing is said of it. Pure. */
export function cloneSpec(original: MachineSpec, name: string): MachineSpec {
  const [, ...domain] = original.hostname.split('.');
  return {
    ...original,
    name,
    replica: undefined,
    cloneOf: original.cloneOf ?? original.name,
    hostname: [name, ...domain].join('.'),
    ports: original.ports.map(withOwnHostPort),
    networks: original.networks.map(({ network }) => ({
      network,
      address: undefined,
      address6: undefined,
      macAddress: undefined,
    })),
    ssh: { ...original.ssh, port: undefined },
    primary: false,
  };
}

/** One that is replaced where it is in use may begin alike. */
function withOwnHostPort(port: PortSpec): PortSpec {
  return port.autoCorrect ? port : { ...port, host: undefined };
}
