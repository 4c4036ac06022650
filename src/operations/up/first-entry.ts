import { readFile } from 'node:fs/promises';
import type { Box } from '../../boxes/box.ts';
import { VAGRANT_PRIVATE_KEYS, VAGRANT_PUBLIC_KEYS } from '../../boxes/vagrant/public-keys.ts';
import { asLoginUser, asRoot, sudoHint } from '../../communicators/as-root.ts';
import type { Communicator } from '../../communicators/communicator.ts';
import { quoteForShell } from '../../communicators/quoting.ts';
import type { ReadyOptions } from '../../communicators/ready.ts';
import { readUserPublicKey } from '../../communicators/user-key.ts';
import { GuestError } from '../../errors.ts';
import type { MachineLayout } from '../../machine/layout.ts';
import type { MachineRecord } from '../../machine/record.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import { endpointOf } from '../guest.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { readAuthorizedKey } from './identity.ts';

interface NewGuest {
  readonly spec: MachineSpec;
  readonly box: Box | undefined;
  readonly record: MachineRecord;
}

/** Whether a guest cannot have its identity yet: its box takes none when it boots, and it was never entered. */
export function needsEntry({ box, record }: NewGuest): boolean {
  return box?.seed === 'vagrant' && !record.isEntered;
}

/**
 * Enters the guest of a Vagrant box with the key that came with it, or one of those that everybody has, and replaces
 * them at once, with its host keys, which all machines of the box share. Only here any host key is accepted; the
 * connection leads over loopback to a QEMU of ours. Interrupted, it is done again: our own key is tried, too.
 */
export async function enterFirst(
  project: Project,
  { spec, box, record }: NewGuest,
  { options, services }: { readonly options: ReadyOptions; readonly services: Services },
): Promise<MachineRecord> {
  const layout = project.states.layout(spec.name);
  const entryKey = box?.entryKeyPath === undefined ? [] : [await readFile(box.entryKeyPath, 'utf8')];
  const firstEntry = { privateKeys: [...entryKey, ...VAGRANT_PRIVATE_KEYS] };
  await using guest = await services.guests.waitUntilReady(await endpointOf({ record, layout }), {
    ...options,
    firstEntry,
  });
  const { signal } = services;
  const authorizedKey = await readAuthorizedKey(spec.ssh, layout);
  const entryKeys = box?.entryKeyPath === undefined ? [] : [blobOf(await readUserPublicKey(box.entryKeyPath))];
  await runIn(guest, {
    script: asLoginUser(replaceKeysScript(authorizedKey, [...VAGRANT_PUBLIC_KEYS, ...entryKeys])),
    signal,
  });
  await runIn(guest, {
    script: asRoot(setUpScript(spec.hostname, await readHostKey(layout))),
    input: await readFile(layout.hostKeyPath),
    signal,
  });
  const entered = { ...record, isEntered: true };
  await project.states.write(entered);
  return entered;
}

async function runIn(guest: Communicator, command: Parameters<Communicator['exec']>[0]): Promise<void> {
  const { exitCode, stderr } = await guest.exec(command);
  if (exitCode === 0) return;
  throw new GuestError(`the guest did not take its identity:\n  ${stderr.trim()}`, {
    exitCode,
    hint: sudoHint(stderr) ?? 'vm expects what Vagrant expects of a box: a login user with sudo, and OpenSSH',
  });
}

/** The key itself in its public line. */
function blobOf(publicKey: string): string {
  return publicKey.split(' ')[1] ?? '';
}

/** Every key stays but those that others have, too: the maker of the box may have put them there for a reason. */
function replaceKeysScript(authorizedKey: string, knownToOthers: readonly string[]): string {
  const unwanted = [...knownToOthers, blobOf(authorizedKey)].map((key) => `-e ${quoteForShell(key)}`).join(' ');
  return `set -e
umask 077
mkdir -p ~/.ssh
cd ~/.ssh
{
  printf '%s\\n' ${quoteForShell(authorizedKey)}
  grep -v -F ${unwanted} authorized_keys || :
} >authorized_keys.vm
mv authorized_keys.vm authorized_keys`;
}

const HOST_KEY = '/etc/ssh/ssh_host_ed25519_key';

interface HostKeyFacts {
  readonly publicKey: string;
  readonly privateKeyBytes: number;
}

/** Standard input is the private host key; it stays open. */
function setUpScript(hostname: string, { publicKey, privateKeyBytes }: HostKeyFacts): string {
  const name = quoteForShell(hostname);
  return `set -e
umask 077
head -c ${privateKeyBytes} >${HOST_KEY}.vm
printf '%s\\n' ${quoteForShell(publicKey)} >${HOST_KEY}.pub.vm
rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub
mv ${HOST_KEY}.vm ${HOST_KEY}
mv ${HOST_KEY}.pub.vm ${HOST_KEY}.pub
chmod 644 ${HOST_KEY}.pub
umask 022
sed -i '/^[[:space:]]*HostKey[[:space:]]/d' /etc/ssh/sshd_config
hostnamectl set-hostname ${name} 2>/dev/null || { echo ${name} >/etc/hostname; hostname ${name}; }
grep -q "[[:space:]]"${name}"$" /etc/hosts || echo "127.0.1.1 "${name} >>/etc/hosts
(
${GROW_ROOT}
) >/dev/null 2>&1 || :
for service in ssh sshd; do
  { systemctl reload $service || service $service reload; } >/dev/null 2>&1 && exit 0
done
pkill -HUP -o -x sshd`;
}

/** Where the disk is larger than the box's, for a root filesystem in a partition. Fails where there is nothing to do. */
const GROW_ROOT = `root=$(findmnt -n -o SOURCE /)
disk=\${root%%[0-9]*}
growpart "$disk" "\${root#"$disk"}"
resize2fs "$root" || xfs_growfs / || btrfs filesystem resize max /`;

async function readHostKey({ hostKeyPath, hostPublicKeyPath }: MachineLayout): Promise<HostKeyFacts> {
  return {
    publicKey: (await readFile(hostPublicKeyPath, 'utf8')).trim(),
    privateKeyBytes: (await readFile(hostKeyPath)).length,
  };
}
