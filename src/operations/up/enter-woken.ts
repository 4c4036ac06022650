import { execCommand } from '../../communicators/openssh.ts';
import { MissingToolError, TimeoutError, VmError } from '../../errors.ts';
import { run } from '../../host/exec.ts';
import { waitFor } from '../../host/wait.ts';
import type { RecordedMachine } from '../../providers/provider.ts';
import { opensshTarget } from '../guest.ts';
import type { Services } from '../services.ts';

/** Its SSH server is just being started. */
const SERVER_TIMEOUT_MS = 5_000;

/**
 * Whether a guest that has woken lets us in by the system's ssh: the connection that this leaves is the one that all commands
 * share, and to log in takes longer than to wake. False: it is to be looked for in the usual way.
 */
export async function enterWoken(machine: RecordedMachine, { signal }: Services): Promise<boolean> {
  const target = await opensshTarget(machine);
  // The connection would have its user's arguments, and keep what it prints open.
  if (target.extraArgs.length > 0) return false;
  const enter = async () => {
    try {
      await run(execCommand(target, ['true'], false), { signal });
      return true;
    } catch (error) {
      if (!(error instanceof VmError) || error instanceof MissingToolError || signal.aborted) throw error;
      return undefined;
    }
  };
  try {
    return await waitFor(enter, { what: 'the guest’s SSH server', timeoutMs: SERVER_TIMEOUT_MS, signal });
  } catch (error) {
    if (error instanceof TimeoutError || error instanceof MissingToolError) return false;
    throw error;
  }
}
