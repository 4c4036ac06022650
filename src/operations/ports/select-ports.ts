import { StateError } from '../../errors.ts';
import { forwardText } from '../../machine/forwards.ts';
import type { MachineRecord, PortForward } from '../../machine/record.ts';
import type { PortSelector } from '../../machinefile/forms/ports.ts';

/**
 * The forwards that `vm port remove` means: named by their host port, or in the words that they were added with. What is
 * not said (address, protocol) may be anything. Pure.
 * @throws StateError for one that is not there, or was not added by hand: then none is removed.
 */
export function selectAdded(
  { machine, forwards }: Pick<MachineRecord, 'machine' | 'forwards'>,
  selectors: readonly PortSelector[],
): PortForward[] {
  const selected = selectors.flatMap((selector) => {
    const found = findMeant(forwards, selector);
    if (found.length > 0) return found;
    throw new StateError(`${machine} has no port ${selectorText(selector)}`, {
      hint: `vm port ${machine} lists its ports`,
    });
  });
  for (const forward of selected) requireAdded(machine, forward, forward === forwards[0]);
  return [...new Set(selected)];
}

function findMeant(forwards: readonly PortForward[], { host, guest, hostIp, protocol }: PortSelector): PortForward[] {
  const candidates = forwards.filter(
    (forward) => forward.hostIp === (hostIp ?? forward.hostIp) && forward.protocol === (protocol ?? forward.protocol),
  );
  if (host !== undefined) return candidates.filter((forward) => forward.host === host && forward.guest === guest);
  // A single number is the host's; but one whose host port vm chose was added by the guest's.
  const byHost = candidates.filter((forward) => forward.host === guest);
  if (byHost.length > 0) return byHost;
  return candidates.filter((forward) => forward.guest === guest && forward.addedAs === 'chosen');
}

function requireAdded(machine: string, forward: PortForward, isSsh: boolean): void {
  if (forward.addedAs !== undefined) return;
  const text = forwardText(forward);
  if (isSsh) {
    throw new StateError(`port ${text} of ${machine} is how vm reaches it`, {
      hint: 'ssh.port in the Machinefile gives it another host port, at the next start',
    });
  }
  throw new StateError(`port ${text} of ${machine} is the Machinefile's`, {
    hint: `take it out of the Machinefile; vm up ${machine} then closes it, without a restart`,
  });
}

function selectorText({ hostIp, host, guest, protocol }: PortSelector): string {
  const hostSide = hostIp === undefined ? host : `${hostIp}:${host ?? ''}`;
  return `${hostSide === undefined ? '' : `${hostSide}:`}${guest}${protocol === undefined ? '' : `/${protocol}`}`;
}
