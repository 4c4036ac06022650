import { quoteForShell } from './quoting.ts';

/**
 * A command line that runs a POSIX shell program as root: by sudo, without asking, where the login user is another.
 * The program must not contain secrets, which have their place on standard input.
 */
export function asRoot(program: string): string {
  return [
    `program=${quoteForShell(program)}`,
    'if [ "$(id -u)" = 0 ]; then exec sh -c "$program"; fi',
    'exec sudo -n -H sh -c "$program"',
  ].join('\n');
}

/** A command line that runs a POSIX shell program as the login user, whatever that user's own shell is. */
export function asLoginUser(program: string): string {
  return `exec sh -c ${quoteForShell(program)}`;
}

/** The hint for a command that failed because sudo did; undefined where that was not the reason. */
export function sudoHint(stderr: string): string | undefined {
  return /^sudo: |sudo:.*not found/m.test(stderr)
    ? "the login user needs sudo without a password (NOPASSWD) in the guest, or give ssh.user another user's name"
    : undefined;
}
