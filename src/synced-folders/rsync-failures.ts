import { sudoHint } from '../communicators/as-root.ts';
import { type CommandError, GuestError, VmError } from '../errors.ts';

/** rsync(1), EXIT VALUES. */
const EXIT = { partial: 23, vanished: 24 };

/** ssh's own exit code, passed on by rsync. */
const EXIT_SSH = 255;

/** Files that were deleted on the host while rsync ran: nothing is wrong with what was copied. */
export function isHarmless(error: CommandError): boolean {
  return error.exitCode === EXIT.vanished;
}

/** Says on which side rsync failed, and what helps. */
export function explainRsyncFailure(
  error: CommandError,
  { machine, hostPath }: { readonly machine: string; readonly hostPath: string },
): VmError {
  const { exitCode, stderr } = error;
  const facts = { cause: error, exitCode };
  if (/rsync: (command )?not found|rsync: No such file/.test(stderr)) {
    return new GuestError(`rsync is not installed in ${machine}`, {
      ...facts,
      hint: 'install it there (apt-get install rsync), or use a box that has it',
    });
  }
  const sudo = sudoHint(stderr);
  if (sudo !== undefined)
    return new GuestError(`cannot sync ${hostPath}: ${lastLines(stderr)}`, { ...facts, hint: sudo });
  if (exitCode === EXIT_SSH) {
    return new GuestError(`cannot sync ${hostPath}: the connection to ${machine} failed: ${lastLines(stderr)}`, facts);
  }
  if (exitCode === EXIT.partial) {
    return new VmError(`some files of ${hostPath} could not be copied: ${lastLines(stderr)}`, {
      cause: error,
      hint: 'the other files were; exclude what cannot be read, or make it readable',
    });
  }
  return new GuestError(`cannot sync ${hostPath}: ${lastLines(stderr)}`, facts);
}

function lastLines(stderr: string): string {
  return stderr.trimEnd().split('\n').slice(-5).join('\n  ');
}
