import type { GuestVolume } from '../../cloud-init/seed.ts';
import { asRoot, sudoHint } from '../../communicators/as-root.ts';
import type { Communicator } from '../../communicators/communicator.ts';
import { writeManagedBlock } from '../../communicators/managed-block.ts';
import { GuestError } from '../../errors.ts';
import type { Services } from '../services.ts';

export interface FstabWork {
  readonly machine: string;
  readonly volumes: readonly GuestVolume[];
  readonly hasSystemd: boolean;
  readonly services: Services;
}

/** Has a guest mount its volumes when it boots, and those no more that it does not have any more. @throws GuestError. */
export async function writeFstab(
  guest: Communicator,
  { machine, volumes, hasSystemd, services: { signal } }: FstabWork,
): Promise<void> {
  const block = { file: '/etc/fstab', lines: fstabLines(volumes, hasSystemd) };
  const written = await writeManagedBlock(guest, block, signal);
  const reload = { script: asRoot('systemctl daemon-reload'), signal };
  const { exitCode, stderr } = hasSystemd && written.exitCode === 0 ? await guest.exec(reload) : written;
  if (exitCode === 0) return;
  throw new GuestError(`${machine}: cannot write the volumes into the guest's fstab:\n  ${stderr.trimEnd()}`, {
    exitCode,
    hint: sudoHint(stderr),
  });
}

/**
 * A volume that is gone must not keep a guest from booting; with it, services must find it mounted. Only systemd knows how
 * to have both: others would take that option for the file system's. It waits for a disk as long as for any other, which
 * an emulated guest may need: 10 seconds were too few for one on a busy host. Pure.
 */
export function fstabLines(
  volumes: readonly Pick<GuestVolume, 'label' | 'guestPath'>[],
  hasSystemd: boolean,
): string[] {
  const more = hasSystemd ? ',x-systemd.before=local-fs.target' : '';
  return volumes.map(({ label, guestPath }) => `LABEL=${label} ${guestPath} ext4 defaults,nofail${more} 0 2`);
}
