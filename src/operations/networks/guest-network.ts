import { createHash } from 'node:crypto';
import { asRoot, sudoHint } from '../../communicators/as-root.ts';
import type { Communicator, GuestResult } from '../../communicators/communicator.ts';
import { writeManagedBlock } from '../../communicators/managed-block.ts';
import { GuestError } from '../../errors.ts';
import { addressesOf, type ConnectedNic } from '../../machine/nics.ts';
import { type HostEntry, hostLines } from '../../networks/names.ts';

/** Of what a guest knows of others. */
export function hostsFingerprint(hosts: readonly HostEntry[]): string {
  return createHash('sha256').update(hostLines(hosts).join('\n')).digest('hex').slice(0, 16);
}

/** Replaces our lines of the guest's /etc/hosts, which in our own boxes the boot unit writes. @throws GuestError. */
export async function writeHosts(guest: Communicator, hosts: readonly HostEntry[], signal: AbortSignal): Promise<void> {
  checkTaken(await writeManagedBlock(guest, { file: '/etc/hosts', lines: hostLines(hosts) }, signal));
}

/**
 * Sets up cards that the guest's own system did not: a box that takes no identity when it boots, or a network that was
 * joined after cloud-init's first boot. Lasts until the guest is started again, when it is done again.
 * @throws GuestError with the guest's own words.
 */
export async function setUpAddresses(
  guest: Communicator,
  nics: readonly ConnectedNic[],
  signal: AbortSignal,
): Promise<void> {
  checkTaken(await guest.exec({ script: asRoot(addressesScript(nics)), signal }));
}

function addressesScript(nics: readonly ConnectedNic[]): string {
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

function checkTaken({ exitCode, stderr }: GuestResult): void {
  if (exitCode === 0) return;
  throw new GuestError(`the guest did not take its networks:\n  ${stderr.trim()}`, {
    exitCode,
    hint: sudoHint(stderr),
  });
}
