import { expect, test } from 'vitest';
import type { Nic } from '../../../src/machine/nics.ts';
import { hostEntries, hostLines, type NamedGuest } from '../../../src/networks/names.ts';

function guest(name: string, addresses: Readonly<Record<string, string>>, more: Partial<NamedGuest> = {}): NamedGuest {
  const nics = Object.entries(addresses).map(([network, address]): Nic => {
    const common = { network, networkId: network, macAddress: '', subnet: '', subnet6: undefined, mtu: undefined };
    return { ...common, address, address6: network === 'six' ? `fd00::${address.split('.')[3]}` : undefined };
  });
  return { name, hostname: name, group: undefined, nics, ...more };
}

function linesFor(name: string, ...guests: NamedGuest[]): string[] {
  const self = guests.find((candidate) => candidate.name === name);
  if (self === undefined) throw new Error(`no guest ${name}`);
  return hostLines(hostEntries(self, guests));
}

test('those on the same networks are known by name, and by name and network', () => {
  const [web, db, far] = [
    guest('web', { front: '10.1.0.2', back: '10.2.0.2' }),
    guest('db', { back: '10.2.0.3', vault: '10.3.0.3' }),
    guest('far', { vault: '10.3.0.4' }),
  ];
  expect(linesFor('web', db, web, far)).toEqual(['10.1.0.2 web web.front', '10.2.0.2 web.back', '10.2.0.3 db db.back']);
  expect(linesFor('far', web, db, far)).toEqual(['10.3.0.4 far far.vault', '10.3.0.3 db db.vault']);
});

test('a host name of its own, and IPv6', () => {
  expect(linesFor('web', guest('web', { six: '10.1.0.2' }, { hostname: 'web.example.org' }))).toEqual([
    '10.1.0.2 web.example.org web web.six',
    'fd00::2 web.example.org web web.six',
  ]);
});

test('the name of a group means each of it', () => {
  const replicas = [1, 2].map((number) => guest(`web-${number}`, { lab: `10.1.0.${number}` }, { group: 'web' }));
  expect(linesFor('db', guest('db', { lab: '10.1.0.9' }), ...replicas)).toEqual([
    '10.1.0.9 db db.lab',
    '10.1.0.1 web-1 web web-1.lab web.lab',
    '10.1.0.2 web-2 web web-2.lab web.lab',
  ]);
});

test('one that is on no network knows itself', () => {
  expect(linesFor('a', guest('a', {}), guest('b', { lab: '10.1.0.2' }))).toEqual(['127.0.1.1 a']);
});
