import { createHash } from 'node:crypto';
import { asRoot } from '../../communicators/as-root.ts';
import type { Communicator } from '../../communicators/communicator.ts';
import { quoteForShell } from '../../communicators/quoting.ts';
import { GuestError } from '../../errors.ts';
import { addressesOf, type ConnectedNic } from '../../machine/nics.ts';
import { type HostEntry, hostLines } from '../../networks/names.ts';

/** Of what a guest knows of others. */
export function hostsFingerprint(hosts: readonly HostEntry[]): string {
  return createHash('sha256').update(hostLines(hosts).join('\n')).digest('hex').slice(0, 16);
}

/** Replaces our lines of the guest's /etc/hosts, as the boot unit of our own boxes does. Pure. */
export function hostsScript(hosts: readonly HostEntry[]): string {
  const block = ['# BEGIN machinefile', ...hostLines(hosts), '# END machinefile'].join('\n');
  return `set -e
{ sed '/^# BEGIN machinefile$/,/^# END machinefile$/d' /etc/hosts; echo ${quoteForShell(block)}; } >/etc/hosts.new
chmod 0644 /etc/hosts.new
mv /etc/hosts.new /etc/hosts
! command -v restorecon >/dev/null || restorecon /etc/hosts`;
}

/**
 * Sets up cards that the guest's own system did not: a box that takes no identity when it boots, or a network that was
 * joined after cloud-init's first boot. Lasts until the guest is started again, when it is done again. Pure.
 */
export function addressesScript(nics: readonly ConnectedNic[]): string {
  return [FIND_CARD, ...nics.map(cardScript)].join('\n');
}

const FIND_CARD = `find_card() {
  for file in /sys/class/net/*/address; do
    read -r found <"$file"
    card=\${file%/address}
    card=\${card##*/}
    [ "$found" != "$1" ] || return 0
  done
  echo "no network card has the address $1" >&2
  exit 1
}`;

function cardScript(nic: ConnectedNic): string {
  const mtu = nic.mtu === undefined ? [] : [`ip link set "$card" mtu ${nic.mtu}`];
  return [
    `find_card ${nic.macAddress.toLowerCase()}`,
    ...mtu,
    'ip link set "$card" up',
    ...addressesOf(nic).map((address) => `ip address replace ${address}${broadcastOf(address)} dev "$card"`),
  ]
    .join(' && ')
    .concat(' || exit 1');
}

function broadcastOf(address: string): string {
  return address.includes(':') ? '' : ' broadcast +';
}

/** @throws GuestError with the guest's own words. */
export async function runInGuest(guest: Communicator, script: string, signal: AbortSignal): Promise<void> {
  const { exitCode, stderr } = await guest.exec({ script: asRoot(script), signal });
  if (exitCode === 0) return;
  throw new GuestError(`the guest did not take its networks:\n  ${stderr.trim()}`, { exitCode });
}
