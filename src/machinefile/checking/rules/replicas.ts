import type { Problem } from '../../../errors.ts';
import { replicaHostname, replicaName, replicaNumber } from '../../replicas.ts';
import { machinesOf, type NamedMachine, placeOf, problemAt, problemAtKey, type Source } from '../../source.ts';

/** Of a machine's name, and of each part of a host name. RFC 1123 */
const LONGEST_LABEL = 63;

/** The names of replicas are nobody else's, and short enough to be names. */
export function checkReplicaNames(source: Source): Problem[] {
  const machines = machinesOf(source);
  return machines.flatMap((named) => [...checkLengths(source, named), ...checkTaken(source, named, machines)]);
}

function checkTaken(source: Source, { name, path }: NamedMachine, machines: readonly NamedMachine[]): Problem[] {
  const group = machines.find((other) => {
    const number = replicaNumber(name, other.name);
    return number !== undefined && number <= (other.replicas ?? 0);
  });
  if (group === undefined) return [];
  const where = placeOf(source, [...group.path, 'replicas']);
  const message = `“${name}” is the name of a replica of machine “${group.name}”, at ${where} (give one of them another name)`;
  return [problemAtKey(source, path, message)];
}

function checkLengths(source: Source, { name, machine, replicas = 0, path }: NamedMachine): Problem[] {
  if (replicas === 0) return [];
  const last = replicaName(name, replicas);
  if (last.length > LONGEST_LABEL) {
    return [problemAtKey(source, path, `“${last}” is too long for a name (at most ${LONGEST_LABEL} characters)`)];
  }
  const [label = ''] = replicaHostname(machine.hostname ?? name, replicas).split('.');
  if (label.length <= LONGEST_LABEL) return [];
  const message = `“${label}” is too long for a host name (at most ${LONGEST_LABEL} characters before the first dot)`;
  return [problemAt(source, [...path, 'hostname'], message)];
}
