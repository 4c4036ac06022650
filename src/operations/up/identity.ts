import { readFile } from 'node:fs/promises';
import { generateSshKeyPair, knownHostsText, writeSshKeyPair } from '../../communicators/keys.ts';
import { HOST_KEY_ALIAS } from '../../communicators/openssh.ts';
import { readUserPublicKey } from '../../communicators/user-key.ts';
import { duplicateFile, unlessMissing, writeFileAtomic } from '../../host/files.ts';
import type { MachineLayout } from '../../machine/layout.ts';
import type { SshSpec } from '../../machinefile/spec.ts';

/** Makes the machine's client key and its SSH host key, and pins the latter. */
export async function createIdentity(layout: MachineLayout, machine: string): Promise<void> {
  await writeSshKeyPair(generateSshKeyPair(`vm ${machine}`), layout);
  const hostKey = generateSshKeyPair(`host ${machine}`);
  await writeSshKeyPair(hostKey, { privateKeyPath: layout.hostKeyPath, publicKeyPath: layout.hostPublicKeyPath });
  await writeFileAtomic(layout.knownHostsPath, knownHostsText(HOST_KEY_ALIAS, hostKey.publicKey));
}

/** Gives a machine the keys of another, whose disk it stands on. */
export async function copyIdentity(from: MachineLayout, to: MachineLayout): Promise<void> {
  await duplicateFile(from.privateKeyPath, to.privateKeyPath);
  await duplicateFile(from.publicKeyPath, to.publicKeyPath);
  await duplicateFile(from.hostKeyPath, to.hostKeyPath);
  await duplicateFile(from.hostPublicKeyPath, to.hostPublicKeyPath);
  await duplicateFile(from.knownHostsPath, to.knownHostsPath);
}

/** How a system that boots by UEFI is started may be known only there. */
export async function copyFirmwareVariables(from: MachineLayout, to: MachineLayout): Promise<void> {
  await unlessMissing(duplicateFile(from.nvramPath, to.nvramPath));
}

/** The public key that may log in: the user's own, where the Machinefile names one, else the machine's. */
export async function readAuthorizedKey({ privateKeyPath }: SshSpec, layout: MachineLayout): Promise<string> {
  if (privateKeyPath !== undefined) return readUserPublicKey(privateKeyPath);
  return (await readFile(layout.publicKeyPath, 'utf8')).trim();
}
