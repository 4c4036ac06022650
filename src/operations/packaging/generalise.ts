import type { SeedKind } from '../../boxes/box.ts';
import { VAGRANT_RSA_PUBLIC_KEY } from '../../boxes/vagrant/public-keys.ts';
import { asRoot, sudoHint } from '../../communicators/as-root.ts';
import type { Communicator } from '../../communicators/communicator.ts';
import { inPhase } from '../../context.ts';
import { GuestError } from '../../errors.ts';
import { LazyGuest } from '../guest.ts';
import { haltMachine } from '../halt.ts';
import { type Project, requireMachine } from '../project.ts';
import type { Services } from '../services.ts';
import { WAIT_SCRIPT } from '../up/cloud-init.ts';

/**
 * Removes from the guest what is one machine's own, makes it ready for how machines of the box will get theirs, and
 * powers it off.
 * @throws GuestError if the guest does not let that happen, or does not power off by itself.
 */
export async function generalise(project: Project, name: string, seed: SeedKind, services: Services): Promise<void> {
  await using lazyGuest = new LazyGuest(await requireMachine(project, name), services);
  const guest = await inPhase(services, name, 'remove identity', async () => {
    const communicator = await lazyGuest.communicator();
    await removeIdentity(communicator, { name, seed, services });
    return communicator;
  });
  // Nobody else is let in by now.
  const { outcome } = await haltMachine(project, name, { force: false, guest, services });
  if (outcome === 'power_button' || outcome === 'guest_poweroff') return;
  throw new GuestError(`${name} did not power off, so its disk may not be whole`, {
    hint: 'give it more time by halt_timeout',
  });
}

async function removeIdentity(
  guest: Communicator,
  { name, seed, services }: { readonly name: string; readonly seed: SeedKind; readonly services: Services },
): Promise<void> {
  const { exitCode, stderr } = await guest.exec({ script: asRoot(generaliseScript(seed)), signal: services.signal });
  if (exitCode === 0) return;
  throw new GuestError(`${name}: what is its own could not be removed from the guest:\n  ${stderr.trim()}`, {
    exitCode,
    hint: sudoHint(stderr),
  });
}

/** A POSIX shell program for root. It must not fail for what a guest does not have. */
export function generaliseScript(seed: SeedKind): string {
  return [COMMON, ...(seed === 'vagrant' ? [FOR_VAGRANT] : []), TRIM].join('\n');
}

const COMMON = `set -e
(
# Where it does not run, it writes no result.
[ -d /run/cloud-init ] || exit 0
${WAIT_SCRIPT}
) >/dev/null || :
# Homes may be on a server (HOST:PATH, //HOST/PATH), where they are also others'.
is_shared() {
  set -- $(df -P "$1" 2>/dev/null | sed 1d)
  case \${1-} in *:* | //*) ;; *) return 1 ;; esac
}
while IFS=: read -r _ _ _ _ _ home _; do
  ! is_shared "$home" || continue
  rm -rf "$home/.ssh" "$home"/.*_history "$home/.local/share/fish/fish_history" "$home/.lesshst" "$home/.viminfo"
done </etc/passwd
if [ -d /run/systemd/system ]; then
  # Both would write to the disk again when they stop.
  systemctl stop systemd-random-seed.service || :
  journalctl --relinquish-var || :
fi
if command -v cloud-init >/dev/null; then
  cloud-init clean --logs || :
  rm -rf /var/lib/cloud/instances /var/lib/cloud/instance /var/lib/cloud/seed
  rm -f /etc/netplan/50-cloud-init.yaml /etc/network/interfaces.d/50-cloud-init* /etc/systemd/network/10-cloud-init-*
  rm -f /etc/NetworkManager/system-connections/cloud-init-*
fi
rm -f /etc/ssh/ssh_host_*
rm -f /var/lib/systemd/random-seed /var/lib/systemd/credential.secret /var/lib/urandom/random-seed
rm -f /boot/loader/random-seed /boot/efi/loader/random-seed /efi/loader/random-seed
rm -f /var/lib/dhcp/*.lease* /var/lib/NetworkManager/*.lease /var/lib/NetworkManager/secret_key
# With the same DUID two machines would get the same address.
rm -f /var/lib/dhcpcd/*.lease* /var/lib/dhcpcd/duid /var/lib/dhcpcd/secret /etc/dhcpcd.duid /etc/dhcpcd.secret
rm -f /var/lib/wicked/*
rm -f /etc/udev/rules.d/70-persistent-net.rules
# Where these are links, no disk holds what they lead to.
[ -L /etc/machine-id ] || [ ! -e /etc/machine-id ] || : >/etc/machine-id
[ -L /var/lib/dbus/machine-id ] || rm -f /var/lib/dbus/machine-id
[ -L /etc/hostname ] || echo localhost >/etc/hostname
[ ! -e /etc/hosts ] ||
  sed -i -e '/^127\\.0\\.1\\.1[[:space:]]/d' -e '/^# BEGIN machinefile$/,/^# END machinefile$/d' /etc/hosts
[ ! -e /etc/fstab ] || sed -i '/^# BEGIN machinefile$/,/^# END machinefile$/d' /etc/fstab
! command -v apt-get >/dev/null || apt-get clean
rm -rf /var/log/journal/* /var/crash/* /var/lib/systemd/coredump/*
rm -f /var/lib/lastlog/lastlog2.db /var/lib/wtmpdb/wtmp.db
if [ -d /var/log ]; then
  find /var/log -type f \\( -name '*.gz' -o -name '*.xz' -o -name '*.old' -o -name '*.[0-9]' \\) -exec rm -f {} +
  find /var/log -type f | while IFS= read -r log; do : >"$log"; done
fi
# Not what is mounted there, nor what is in use.
find /tmp /var/tmp -xdev -mindepth 1 ! -type d ! -path '*/systemd-private-*' -exec rm -f {} + 2>/dev/null || :
find /tmp /var/tmp -xdev -depth -mindepth 1 -type d ! -path '*/systemd-private-*' -exec rmdir {} + 2>/dev/null || :`;

/**
 * What Vagrant expects of a box: a user of this name with sudo, whom its RSA key lets in, the one that every version of
 * it tries and replaces: those before 2.3.8 would leave the other in the guest for ever. Without PAM, OpenSSH lets nobody
 * in whose password begins with an exclamation mark. Host keys are made when a machine boots for the first time,
 * without one for RSA, which takes an emulated guest half a minute; systems without systemd do that by themselves. Sockets
 * are there before any such unit can run, so that only services wait for it. Where cloud-init is, it would take the
 * machine for one that it knows nothing of, and leave it without a network.
 */
const FOR_VAGRANT = `id vagrant >/dev/null 2>&1 || useradd -m -s /bin/sh -p '*' vagrant || {
  adduser -D vagrant
  sed -i 's/^vagrant:!/vagrant:*/' /etc/shadow
}
home=$(grep '^vagrant:' /etc/passwd | cut -d: -f6)
mkdir -p -m 0755 /etc/sudoers.d
echo 'vagrant ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/vagrant
chmod 0440 /etc/sudoers.d/vagrant
mkdir -p "$home/.ssh"
cat >"$home/.ssh/authorized_keys" <<'KEYS'
ssh-rsa ${VAGRANT_RSA_PUBLIC_KEY} vagrant insecure public key
KEYS
chmod 0700 "$home/.ssh"
chmod 0600 "$home/.ssh/authorized_keys"
chown -R vagrant: "$home/.ssh"
if [ -d /run/systemd/system ]; then
  units=/etc/systemd/system
  cat >$units/ssh-host-keys.service <<'UNIT'
[Unit]
Description=SSH host keys of a new machine
Before=ssh.service sshd.service
After=sshd-keygen.target
ConditionPathExistsGlob=!/etc/ssh/ssh_host_*_key

[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -q -N '' -t ed25519 -f /etc/ssh/ssh_host_ed25519_key
ExecStart=/usr/bin/ssh-keygen -q -N '' -t ecdsa -f /etc/ssh/ssh_host_ecdsa_key
UNIT
  mkdir -p $units/multi-user.target.wants
  ln -sf ../ssh-host-keys.service $units/multi-user.target.wants/
fi
if command -v cloud-init >/dev/null; then
  mkdir -p /var/lib/cloud/seed/nocloud
  echo 'instance-id: packaged' >/var/lib/cloud/seed/nocloud/meta-data
  echo '#cloud-config' >/var/lib/cloud/seed/nocloud/user-data
fi`;

/** What was removed must not stay in free blocks; a disk that takes no discards, as LVM's may, is written full of zeros. */
const TRIM = `sync
fstrim -a 2>/dev/null || :
if ! fstrim / 2>/dev/null; then
  dd if=/dev/zero of=/.zeros bs=1M 2>/dev/null || :
  sync
  rm -f /.zeros
fi`;
