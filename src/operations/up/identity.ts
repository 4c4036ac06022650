import { readFile } from 'node:fs/promises';
import { generateSshKeyPair, knownHostsText, writeSshKeyPair } from '../../communicators/keys.ts';
import { HOST_KEY_ALIAS } from '../../communicators/openssh.ts';
import { readUserPublicKey } from '../../communicators/user-key.ts';
import { writeFileAtomic } from '../../host/files.ts';
import type { MachineLayout } from '../../machine/layout.ts';
import type { SshSpec } from '../../machinefile/spec.ts';

/** Makes the machine's client key and its SSH host key, and pins the latter. */
export async function createIdentity(layout: MachineLayout, machine: string): Promise<void> {
  await writeSshKeyPair(generateSshKeyPair(`vm ${machine}`), layout);
  const hostKey = generateSshKeyPair(`host ${machine}`);
  await writeSshKeyPair(hostKey, { privateKeyPath: layout.hostKeyPath, publicKeyPath: layout.hostPublicKeyPath });
  await writeFileAtomic(layout.knownHostsPath, knownHostsText(HOST_KEY_ALIAS, hostKey.publicKey));
}

/** The public key that may log in: the user's own, where the Machinefile names one, else the machine's. */
export async function readAuthorizedKey({ privateKeyPath }: SshSpec, layout: MachineLayout): Promise<string> {
  if (privateKeyPath !== undefined) return readUserPublicKey(privateKeyPath);
  return (await readFile(layout.publicKeyPath, 'utf8')).trim();
}
