import type { Nic } from '../machine/nics.ts';

/** A machine by the names that others call it. */
export interface NamedGuest {
  readonly name: string;
  readonly hostname: string;
  /** What it is one replica of, whose name means all of them. */
  readonly group: string | undefined;
  readonly nics: readonly Nic[];
}

/** A line of /etc/hosts. */
export interface HostEntry {
  readonly address: string;
  readonly names: readonly string[];
}

/**
 * What `guest` has to know to reach the others by name: `NAME`, which is at the first network that both are on, and
 * `NAME.NETWORK`. Its own name is at its own first network, as the others see it; without one, on itself. Pure.
 */
export function hostEntries(guest: NamedGuest, all: readonly NamedGuest[]): HostEntry[] {
  if (guest.nics.length === 0) return [{ address: '127.0.1.1', names: [guest.hostname] }];
  const networks = new Set(guest.nics.map(({ network }) => network));
  const isSelf = (other: NamedGuest) => other.name === guest.name;
  return [guest, ...all.filter((other) => !isSelf(other))].flatMap((other) => {
    const reachable = other.nics.filter(({ network }) => networks.has(network));
    return reachable.flatMap((nic, index) => {
      const own = other.group === undefined ? [other.name] : [other.name, other.group];
      const bare = index === 0 ? [...new Set([other.hostname, ...own])] : [];
      const names = [...bare, ...own.map((name) => `${name}.${nic.network}`)];
      return [nic.address, nic.address6].flatMap((address) => (address === undefined ? [] : [{ address, names }]));
    });
  });
}

/** As the lines of /etc/hosts. */
export function hostLines(entries: readonly HostEntry[]): string[] {
  return entries.map(({ address, names }) => `${address} ${names.join(' ')}`);
}
