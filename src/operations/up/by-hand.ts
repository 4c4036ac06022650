import type { MachineRecord } from '../../machine/record.ts';
import { volumeLabel } from '../../machine/volume.ts';
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
export function reportUndone(
  { name, environment, sync, provision, volumes }: MachineSpec,
  { reporter }: Services,
): void {
  const warn = (text: string) => reporter.report({ type: 'message', level: 'warning', subject: name, text });
  const labels = volumes.map((volume) => volumeLabel(volume.name));
  if (labels.length > 0) warn(`has no box, so its volumes are left to its system to mount: ${labels.join(', ')}`);
  const given = { environment: Object.keys(environment), sync, provision };
  const undone = Object.entries(given).flatMap(([key, values]) => (values.length > 0 ? [key] : []));
  if (undone.length === 0) return;
  warn(
    `has no box, so ${undone.join(', ')} ${undone.length === 1 ? 'is' : 'are'} left to vm sync and vm provision, once its system lets vm log in`,
  );
}
