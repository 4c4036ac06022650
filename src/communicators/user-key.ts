import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { VmError } from '../errors.ts';
import { unlessMissing } from '../host/files.ts';

/** In ssh_config(5) double quotes have no escape that every version knows, and variables are expanded inside them. */
const UNQUOTABLE = /["\\\n]|\$\{/;

/**
 * Reads a private key of the user's and gives the public line to seed the guest with: `ssh-rsa AAAA…`.
 * Called before anything is created.
 * @throws VmError when both SSH clients could not log in with it unattended.
 */
export async function readUserPublicKey(privateKeyPath: string): Promise<string> {
  if (UNQUOTABLE.test(privateKeyPath)) {
    throw new VmError(`ssh.private_key: the path ${privateKeyPath} cannot be written into a configuration of OpenSSH`, {
      hint: 'link to it from a path without double quotes, backslashes and ${',
    });
  }
  const text = await unlessMissing(readFile(privateKeyPath, 'utf8'));
  if (text === undefined) throw new VmError(`ssh.private_key: ${privateKeyPath} does not exist`);
  const { mode } = await stat(privateKeyPath);
  if ((mode & 0o077) !== 0) {
    throw new VmError(`ssh.private_key: others may read ${privateKeyPath}, so OpenSSH will not use it`, {
      hint: `chmod 600 ${privateKeyPath}`,
    });
  }
  return publicKeyOf(text, privateKeyPath);
}

async function publicKeyOf(privateKey: string, path: string): Promise<string> {
  const { default: ssh2 } = await import('ssh2');
  const key = ssh2.utils.parseKey(privateKey);
  if (key instanceof Error) throw unreadableKey(privateKey, path, key);
  if (!key.isPrivateKey()) throw new VmError(`ssh.private_key: ${path} is a public key`, { hint: PRIVATE_KEY_HINT });
  return `${key.type} ${key.getPublicSSH().toString('base64')}`;
}

function unreadableKey(privateKey: string, path: string, cause: Error): VmError {
  if (privateKey.startsWith('-----BEGIN PRIVATE KEY-----')) {
    return new VmError(`ssh.private_key: ${path} is in the format PKCS #8, which is not read`, {
      hint: `ssh-keygen -p -f ${path} rewrites it in OpenSSH's format`,
      cause,
    });
  }
  const isEncrypted =
    /encrypted/i.test(cause.message) || privateKey.startsWith('-----BEGIN ENCRYPTED PRIVATE KEY-----');
  return new VmError(`ssh.private_key: ${path} ${isEncrypted ? ENCRYPTED : NOT_A_KEY}`, {
    hint: PRIVATE_KEY_HINT,
    cause,
  });
}

const ENCRYPTED = 'is protected by a passphrase';
const NOT_A_KEY = 'is not a private key that can be read';
export const PRIVATE_KEY_HINT =
  'give a private key file without a passphrase, or leave ssh.private_key out: vm then makes a key for the machine alone';

/** As `ssh-keygen -l` prints it. */
export function keyFingerprint(publicBlob: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(publicBlob).digest('base64').replace(/=+$/, '')}`;
}
