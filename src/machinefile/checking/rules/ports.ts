import type { Problem } from '../../../errors.ts';
import { isMistake } from '../../forms/parsed.ts';
import { type HostPort, isSameHostPort, parsePorts } from '../../forms/ports.ts';
import type { DataPath } from '../../reading/tree.ts';
import { isSamePlace, machinesOf, type NamedMachine, placeOf, problemAt, type Source } from '../../source.ts';

interface Claim extends HostPort {
  readonly host: number;
  readonly machine: string;
  readonly path: DataPath;
  readonly autoCorrect: boolean;
}

/** Port forms are right, and no host port is wanted twice, by whichever machines. */
export function checkPorts(source: Source): Problem[] {
  const machines = machinesOf(source);
  const clashes = findClashes(machines.flatMap(claimsOf));
  return [
    ...machines.flatMap((named) => checkForms(source, named)),
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

function checkForms(source: Source, { machine, path }: NamedMachine): Problem[] {
  return (machine.ports ?? []).flatMap((port, index) => {
    const parsed = parsePorts(port);
    return isMistake(parsed) ? [problemAt(source, [...path, 'ports', index], parsed.mistake)] : [];
  });
}

function claimsOf({ name, machine, path }: NamedMachine): Claim[] {
  const ports = (machine.ports ?? []).flatMap((port, index) => {
    const parsed = parsePorts(port);
    if (isMistake(parsed)) return [];
    return parsed.value.flatMap(({ host, ...spec }) =>
      host === undefined ? [] : [{ ...spec, host, machine: name, path: [...path, 'ports', index] }],
    );
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
