import { sudoHint } from '../communicators/as-root.ts';
import type { Communicator } from '../communicators/communicator.ts';
import { managedBlock, writeManagedBlock } from '../communicators/managed-block.ts';
import { GuestError, VmError } from '../errors.ts';
import { sha256 } from '../host/files.ts';

type Environment = Readonly<Record<string, string>>;

/** In memory, where our own boxes put what the seed says: the disk may become that of other machines. */
const SEEDED_FILE = '/run/machinefile/environment';

/** Linux-PAM 1.5 stops reading the file at a line of 8192 bytes. */
const LINE_MAX_BYTES = 8000;

/**
 * Why a variable cannot be set for logins; undefined where it can.
 *
 * Logins get them from a file in the manner of /etc/environment, which pam_env reads. It knows no escapes: it takes one pair of quotes off and
 * everything between as it stands, but cuts a line at `#` even inside quotes (measured with Linux-PAM 1.5.2).
 */
export function environmentProblem(name: string, value: string): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return 'a name has only letters, digits and _, and no digit first';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value)) return 'a value has no line ends or other control characters';
  if (value.includes('#')) return 'a value has no #: the guest would cut it off there (a step can have it in its env)';
  if (Buffer.byteLength(environmentLine(name, value)) > LINE_MAX_BYTES)
    return `a value has at most ${LINE_MAX_BYTES} bytes`;
  return undefined;
}

/** Changes when the guest has to be told. */
export function environmentFingerprint(environment: Environment): string {
  return sha256(environmentBlock(environment));
}

/** What stands there for us; empty when there is nothing to set. @throws VmError for a variable that cannot be set. */
export function environmentBlock(environment: Environment): string {
  return managedBlock(linesOf(environment));
}

function linesOf(environment: Environment): string[] {
  return Object.entries(environment).map(([name, value]) => {
    const problem = environmentProblem(name, value);
    if (problem !== undefined) throw new VmError(`environment.${name} cannot be set for logins: ${problem}`);
    return environmentLine(name, value);
  });
}

function environmentLine(name: string, value: string): string {
  return `${name}="${value}"`;
}

/**
 * Makes the variables those of every login from now on; earlier ones that are no longer there are removed. Connections
 * that are open, the shared one too, keep what they began with.
 * @throws VmError for a variable that cannot be set; GuestError.
 */
export async function writeGuestEnvironment(
  communicator: Communicator,
  environment: Environment,
  signal: AbortSignal,
): Promise<void> {
  const block = { file: '/etc/environment', preferred: SEEDED_FILE, lines: linesOf(environment) };
  const { exitCode, stderr } = await writeManagedBlock(communicator, block, signal);
  if (exitCode === 0) return;
  throw new GuestError(`cannot write the machine's environment into the guest:\n  ${stderr.trimEnd()}`, {
    exitCode,
    hint: sudoHint(stderr),
  });
}
