/** What `vm scale` said of one machine. */
export interface ScaledCount {
  readonly replicas: number;
  /** What the Machinefile said then. When it says something else, its user has edited it, and it is right again. */
  readonly declared: number;
}

/** By the machines' names. */
export type Scale = ReadonlyMap<string, ScaledCount>;

/** Of one machine, whatever its disks and memory may be. */
export const MOST_REPLICAS = 1000;

/** How many replicas each of some machines is to have, by the names in the Machinefile. */
export type WantedReplicas = ReadonlyMap<string, number>;

/** How many replicas of a machine there are to be, where the Machinefile says `declared`. */
export type CountReplicas = (machine: string, declared: number) => number;

/** What is wanted now, else what `vm scale` said, else what the Machinefile says. */
export function replicaCounter(scale: Scale, wanted: WantedReplicas): CountReplicas {
  return (machine, declared) => {
    const scaled = scale.get(machine);
    return wanted.get(machine) ?? (scaled?.declared === declared ? scaled.replicas : declared);
  };
}

/** As the Machinefile says. */
export const asDeclared: CountReplicas = (_machine, declared) => declared;

/** `web-2`; they count from 1. */
export function replicaName(machine: string, number: number): string {
  return `${machine}-${number}`;
}

/** `web-1` to `web-3`. */
export function replicaNames(machine: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => replicaName(machine, index + 1));
}

/** The number stands before the first dot: `app.example.org` becomes `app-2.example.org`. */
export function replicaHostname(hostname: string, number: number): string {
  const [label = '', ...domain] = hostname.split('.');
  return [replicaName(label, number), ...domain].join('.');
}

/** Which replica of the machine the name would be: 2 for `web-2` and `web`. */
export function replicaNumber(name: string, machine: string): number | undefined {
  const number = name.startsWith(`${machine}-`) ? name.slice(machine.length + 1) : '';
  return /^[1-9]\d*$/.test(number) ? Number(number) : undefined;
}
