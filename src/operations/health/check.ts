import { asLoginUser } from '../../communicators/as-root.ts';
import { quoteCommand } from '../../communicators/quoting.ts';
import { VmError } from '../../errors.ts';
import type { HealthcheckSpec } from '../../machinefile/spec.ts';
import type { LazyGuest } from '../guest.ts';

/** What a check needs of a guest. */
export type CheckedGuest = Pick<LazyGuest, 'communicator' | 'disconnect'>;

/** What one run of a health check told. */
export type CheckResult = { readonly hasPassed: true } | FailedCheck;

export interface FailedCheck {
  readonly hasPassed: false;
  /** How it ended: with which exit code, or without one. */
  readonly reason: string;
  /** The guest command's, where there was one. */
  readonly exitCode: number | undefined;
  readonly output: string;
}

/**
 * Runs a health check in the guest once, as the login user. A guest that cannot be entered has failed it, too; the next
 * check tries a new connection.
 * @throws InterruptedError when `signal` is aborted.
 */
export async function checkHealth(
  guest: CheckedGuest,
  { command, timeoutMs }: HealthcheckSpec,
  signal: AbortSignal,
): Promise<CheckResult> {
  const script = asLoginUser(typeof command === 'string' ? command : quoteCommand(command));
  let timeout: AbortSignal | undefined;
  try {
    const communicator = await guest.communicator();
    timeout = AbortSignal.timeout(timeoutMs);
    const { exitCode, stdout, stderr } = await communicator.exec({
      script,
      signal: AbortSignal.any([signal, timeout]),
    });
    if (exitCode === 0) return { hasPassed: true };
    return { hasPassed: false, reason: `exit code ${exitCode}`, exitCode, output: `${stdout}${stderr}` };
  } catch (error) {
    if (signal.aborted || !(error instanceof VmError)) throw error;
    if (timeout?.aborted) return failure(`no end within ${timeoutMs / 1000} s`);
    await guest.disconnect();
    return failure(error.message);
  }
}

function failure(reason: string): FailedCheck {
  return { hasPassed: false, reason, exitCode: undefined, output: '' };
}
