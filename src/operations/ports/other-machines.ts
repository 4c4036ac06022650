import { StateError } from '../../errors.ts';
import { portText } from '../../host/port-address.ts';
import type { PortForward } from '../../machine/record.ts';
import { type HostPort, isSameHostPort } from '../../machinefile/forms/ports.ts';
import type { Project } from '../project.ts';
import type { WantedPort } from './wanted-ports.ts';

/** A host port of another machine of the project, which may be stopped. */
export interface OtherPort extends HostPort {
  readonly host: number;
  readonly machine: string;
  readonly addedAs?: PortForward['addedAs'];
}

/** What the records of the project's other machines say that they have, or will have again. */
export async function portsOfOthers({ states }: Project, machine: string): Promise<OtherPort[]> {
  const others = (await states.list()).filter((name) => name !== machine);
  // The ports of a damaged one are not known: those that are in use are found by binding.
  const records = await Promise.all(others.map((name) => states.readIfWhole(name)));
  return records.flatMap((record) =>
    (record?.forwards ?? []).map((port) => ({ ...port, machine: record?.machine ?? '' })),
  );
}

/** Those that were given to it by `vm port add`: nobody else knows of them while it is stopped. */
export function isGivenByHand({ addedAs }: OtherPort): boolean {
  return addedAs === 'given';
}

/** @throws StateError where another machine has a host port that may not be replaced. */
export function requireUnclaimed(wanted: readonly WantedPort[], others: readonly OtherPort[]): void {
  for (const { hostIp, host, protocol, autoCorrect } of wanted) {
    const other = others.find((port) => isSameHostPort(port, { hostIp, host, protocol }));
    if (other === undefined || autoCorrect) continue;
    const { machine } = other;
    throw new StateError(
      `host port ${portText({ port: other.host, protocol })} belongs to the machine ${machine} of this project`,
      {
        hint: isGivenByHand(other)
          ? `vm port add gave it to ${machine}, vm port remove ${machine} ${other.host} takes it back`
          : `vm port ${machine} lists its ports; choose another host port, or leave it away`,
      },
    );
  }
}
