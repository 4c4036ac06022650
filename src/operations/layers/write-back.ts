import { asRoot } from '../../communicators/as-root.ts';
import { GuestError } from '../../errors.ts';
import type { LazyGuest } from '../guest.ts';
import type { Services } from '../services.ts';

const KEEPS_IDENTITY_EXIT = 66;

/**
 * For root. What the guest has written so far must be on its disk, not in its memory; and who the machine is only in its
 * memory, which it is not where a box was made by an older vm.
 */
const WRITE_BACK = `[ -d /run/machinefile/authorized_keys ] && [ -L /etc/machine-id ] || exit ${KEEPS_IDENTITY_EXIT}
sync`;

/** Has the guest write what is to be frozen. @throws GuestError if it cannot, or must not be frozen. */
export async function writeBack(guest: LazyGuest, { signal }: Services): Promise<void> {
  const communicator = await guest.communicator();
  const { exitCode, stderr } = await communicator.exec({ script: asRoot(WRITE_BACK), signal });
  if (exitCode === 0) return;
  const reason =
    exitCode === KEEPS_IDENTITY_EXIT
      ? 'its box keeps who a machine is on its disk, because an older vm has made it'
      : `the guest did not write its disk:\n  ${stderr.trim()}`;
  throw new GuestError(reason, { exitCode });
}
