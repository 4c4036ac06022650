import { readFile } from 'node:fs/promises';
import { generateSshKeyPair, knownHostsText, writeSshKeyPair } from '../../communicators/keys.ts';
import { HOST_KEY_ALIAS } from '../../communicators/openssh.ts';
import { VmError } from '../../errors.ts';
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

/** The public key that may log in: the machine's own, or the one beside the user's private key. */
export async function readAuthorizedKey(ssh: SshSpec, layout: MachineLayout): Promise<string> {
  const path = ssh.privateKeyPath === undefined ? layout.publicKeyPath : `${ssh.privateKeyPath}.pub`;
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (cause) {
    throw new VmError(`cannot read the public key ${path}`, {
      hint: '`ssh-keygen -y -f KEY > KEY.pub` makes it from the private key',
      cause,
    });
  }
}
