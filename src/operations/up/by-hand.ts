import type { MachineRecord } from '../../machine/record.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import type { Services } from '../services.ts';

/**
 * Whether the machine began with an empty disk. Installer and system take no key of ours, so nobody waits for a login,
 * neither while somebody installs nor later.
 */
export function isInstalledByHand({ box }: MachineRecord): boolean {
  return box === undefined;
}

/** What is on the disk of such a machine is its user's: what `up` would bring into others is said, not done. */
export function reportUndone({ name, environment, sync, provision }: MachineSpec, { reporter }: Services): void {
  const given = { environment: Object.keys(environment), sync, provision };
  const undone = Object.entries(given).flatMap(([key, values]) => (values.length > 0 ? [key] : []));
  if (undone.length === 0) return;
  reporter.report({
    type: 'message',
    level: 'warning',
    subject: name,
    text: `has no box, so ${undone.join(', ')} ${undone.length === 1 ? 'is' : 'are'} left to vm sync and vm provision, once its system lets vm log in`,
  });
}
