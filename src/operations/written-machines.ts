import type { DependencySpec, MachineSpec, PortRangeSpec, ProjectSpec } from '../machinefile/spec.ts';

/** A machine as a Machinefile has it: its replicas are one. */
export interface WrittenMachine {
  /** Names no replicas, and has no ports. */
  readonly spec: MachineSpec;
  readonly ports: readonly PortRangeSpec[];
  /** How many there are now. Absent: it has no `replicas`. */
  readonly replicas: number | undefined;
}

/** The opposite of making replicas and clones. Groups that have none come last: no machine tells where they stand. Pure. */
export function writtenMachines({ machines: all, groups }: ProjectSpec): WrittenMachine[] {
  const machines = all.filter(({ cloneOf }) => cloneOf === undefined);
  const replicaOf = new Map(machines.map(({ name, replica }) => [name, replica?.of ?? name]));
  const written = new Map(
    machines.map(({ ports, ...machine }): [string, WrittenMachine] => {
      const spec = { ...machine, ports: [], dependsOn: onWritten(machine.dependsOn, replicaOf) };
      return [replicaOf.get(machine.name) ?? machine.name, { spec, ports: ports.map(asRange), replicas: undefined }];
    }),
  );
  for (const { template, ports, replicas } of groups) written.set(template.name, { spec: template, ports, replicas });
  return [...written.values()];
}

function onWritten(dependencies: readonly DependencySpec[], replicaOf: ReadonlyMap<string, string>): DependencySpec[] {
  const byName = dependencies.map(({ name, condition }) => [replicaOf.get(name) ?? name, condition] as const);
  return [...new Map(byName)].map(([name, condition]) => ({ name, condition }));
}

function asRange({ host, guest, ...rest }: MachineSpec['ports'][number]): PortRangeSpec {
  return { ...rest, host: host === undefined ? undefined : rangeOf(host), guest: rangeOf(guest) };
}

function rangeOf(port: number): PortRangeSpec['guest'] {
  return { first: port, last: port };
}
