import { CommandError, MissingToolError, VmError } from '../../errors.ts';
import { run } from '../../host/exec.ts';
import { readText } from '../vagrant/json-document.ts';
import type { Credentials } from './credentials.ts';
import { parseSecretJson } from './json-fields.ts';

/** A program that keeps credentials: `docker-credential-NAME`. */
export interface CredentialHelper {
  readonly name: string;
  /** Where its name stands, for messages. */
  readonly configPath: string;
}

/** What helpers print when they have none, and how they mark a token (docker-credential-helpers, docker/cli). */
const NOT_FOUND = 'credentials not found in native keychain';
const TOKEN_USER = '<token>';

/** Undefined where the helper has none for this server. @throws VmError if it fails; InterruptedError. */
export async function getFromHelper(
  helper: CredentialHelper,
  serverUrl: string,
  signal: AbortSignal,
): Promise<Credentials | undefined> {
  const answer = await ask(helper, { action: 'get', input: serverUrl, signal });
  if (answer === undefined) return undefined;
  const source = { shownAs: `the answer of ${programOf(helper)}`, hint: `check it: ${helper.configPath} names it` };
  const object = parseSecretJson(answer, source);
  const user = readText(object, 'Username');
  const secret = readText(object, 'Secret');
  return user === TOKEN_USER ? { kind: 'token', token: secret } : { kind: 'password', user, password: secret };
}

/** @throws VmError if it fails; InterruptedError. */
export async function storeInHelper(
  helper: CredentialHelper,
  login: { readonly serverUrl: string; readonly user: string; readonly password: string },
  signal: AbortSignal,
): Promise<void> {
  const input = JSON.stringify({ ServerURL: login.serverUrl, Username: login.user, Secret: login.password });
  await ask(helper, { action: 'store', input, signal });
}

async function ask(
  helper: CredentialHelper,
  { action, input, signal }: { readonly action: 'get' | 'store'; readonly input: string; readonly signal: AbortSignal },
): Promise<string | undefined> {
  const program = programOf(helper);
  // Helpers print their errors to standard output.
  const printed: string[] = [];
  const onLine = (line: string) => void printed.push(line);
  try {
    const { stdout } = await run({ file: program, args: [action] }, { input, signal, onLine });
    return stdout;
  } catch (error) {
    if (error instanceof MissingToolError) {
      throw new MissingToolError(program, { hint: `${helper.configPath} names it: install it, or remove it there` });
    }
    if (!(error instanceof CommandError)) throw error;
    if (printed.some((line) => line.trim() === NOT_FOUND)) return undefined;
    throw new VmError(`${program} failed to ${action} credentials: ${printed[0] ?? `exit code ${error.exitCode}`}`, {
      hint: `check it: ${helper.configPath} names it`,
      cause: error,
    });
  }
}

function programOf({ name }: CredentialHelper): string {
  return `docker-credential-${name}`;
}
