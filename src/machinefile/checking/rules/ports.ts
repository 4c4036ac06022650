import type { Problem } from '../../../errors.ts';
import { isMistake } from '../../forms/parsed.ts';
import { countOf, type HostPort, isSameHostPort, parsePorts, replicasServed } from '../../forms/ports.ts';
import type { DataPath } from '../../reading/tree.ts';
import { isSamePlace, machinesOf, type NamedMachine, placeOf, problemAt, type Source } from '../../source.ts';
import type { PortRangeSpec } from '../../spec.ts';

interface Claim extends HostPort {
  readonly host: number;
  readonly machine: string;
  readonly path: DataPath;
  readonly autoCorrect: boolean;
}

/**
 * Port forms are right, there are enough for all replicas, and no host port is wanted twice, by whichever machines.
 * A range belongs to its machine also where there are fewer replicas by now.
 */
export function checkPorts(source: Source): Problem[] {
  const machines = machinesOf(source);
  const clashes = findClashes(machines.flatMap(claimsOf));
  return [
    ...machines.flatMap((named) => [...checkForms(source, named), ...checkSshPort(source, named)]),
    ...clashes.map(({ claim, other }) => problemAt(source, claim.path, describeClash(source, claim, other))),
  ];
}

interface Clash {
  readonly claim: Claim;
  readonly other: Claim;
}

/** Two ranges that overlap are one clash, not one for each port. */
function findClashes(claims: readonly Claim[]): Clash[] {
  const claimsByPort = new Map<number, Claim[]>();
  const clashes = new Map<string, Clash>();
  for (const claim of claims) {
    const earlier = claimsByPort.get(claim.host) ?? [];
    const other = earlier.find((candidate) => isClash(candidate, claim));
    const id = JSON.stringify([claim.path, other?.path]);
    if (other !== undefined && !clashes.has(id)) clashes.set(id, { claim, other });
    claimsByPort.set(claim.host, [...earlier, claim]);
  }
  return [...clashes.values()];
}

function checkForms(source: Source, { machine, replicas, path }: NamedMachine): Problem[] {
  return (machine.ports ?? []).flatMap((port, index) => {
    const parsed = parsePorts(port);
    const mistake = isMistake(parsed) ? parsed.mistake : mistakeInCount(parsed.value, replicas);
    return mistake === undefined ? [] : [problemAt(source, [...path, 'ports', index], mistake)];
  });
}

/** Each replica needs host ports of its own. */
function mistakeInCount(range: PortRangeSpec, replicas: number | undefined): string | undefined {
  const served = replicasServed(range);
  if (replicas === undefined) {
    const isForReplicas = served > 1 && served !== Number.POSITIVE_INFINITY;
    return isForReplicas
      ? 'several host ports for one guest port are for replicas (give one host port, or the machine “replicas”)'
      : undefined;
  }
  if (range.host === undefined || served >= replicas) return undefined;
  const [hosts, guests] = [countOf(range.host), countOf(range.guest)];
  const given = hosts === 1 ? '1 host port is' : `${hosts} host ports are`;
  const each = guests === 1 ? '' : ` of ${guests} ports each`;
  return `${given} not enough for ${replicas} replicas${each} (give a range of at least ${replicas * guests}, or leave the host port out)`;
}

function checkSshPort(source: Source, { machine, replicas = 1, path }: NamedMachine): Problem[] {
  const port = machine.ssh?.port;
  if (port === undefined || replicas <= 1) return [];
  const message = `host port ${port} cannot lead to ${replicas} replicas (leave “port” out, and each gets a free one)`;
  return [problemAt(source, [...path, 'ssh', 'port'], message)];
}

function claimsOf({ name, machine, path }: NamedMachine): Claim[] {
  const ports = (machine.ports ?? []).flatMap((port, index) => {
    const parsed = parsePorts(port);
    if (isMistake(parsed)) return [];
    const { host, hostIp, protocol, autoCorrect } = parsed.value;
    if (host === undefined) return [];
    const claim = { hostIp, protocol, autoCorrect, machine: name, path: [...path, 'ports', index] };
    return Array.from({ length: countOf(host) }, (_, offset) => ({ ...claim, host: host.first + offset }));
  });
  const sshPort = machine.ssh?.port;
  if (sshPort === undefined) return ports;
  const ssh: Claim = {
    hostIp: '127.0.0.1',
    host: sshPort,
    protocol: 'tcp',
    autoCorrect: false,
    machine: name,
    path: [...path, 'ssh', 'port'],
  };
  return [...ports, ssh];
}

/** Of two that want the same port, one that may be replaced is enough. */
function isClash(a: Claim, b: Claim): boolean {
  return isSameHostPort(a, b) && !a.autoCorrect && !b.autoCorrect;
}

function describeClash(source: Source, claim: Claim, other: Claim): string {
  const port = `host port ${claim.host}/${claim.protocol}`;
  const cure = 'choose another, or leave the host port out';
  if (isSamePlace(source, claim.path, other.path)) {
    return `${port} cannot lead to more than one machine (leave the host port out, and each gets a free one)`;
  }
  if (other.machine === claim.machine) {
    return `${port} is forwarded already, at ${placeOf(source, other.path)} (${cure})`;
  }
  return `${port} is taken by machine “${other.machine}”, at ${placeOf(source, other.path)} (${cure})`;
}
