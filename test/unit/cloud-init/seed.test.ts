import { expect, test } from 'vitest';
import { tarArchive } from '../../../src/boxes/archives/tar-writer.ts';
import { type GuestIdentity, identitySeed } from '../../../src/cloud-init/seed.ts';
import { dropbearHostKey, generateSshKeyPair } from '../../../src/communicators/keys.ts';

interface Member {
  readonly name: string;
  readonly mode: string;
  readonly content: string;
}

/** Reads an archive as tar does, checksums included. */
function readTar(bytes: Uint8Array): Member[] {
  const archive = Buffer.from(bytes);
  const members: Member[] = [];
  let offset = 0;
  while (archive[offset] !== 0) {
    const header = archive.subarray(offset, offset + 512);
    const text = (start: number, length: number) =>
      header.toString('latin1', start, start + length).split('\0')[0] ?? '';
    const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
    expect(Number.parseInt(text(148, 8), 8)).toBe(sum);
    expect(header.toString('latin1', 257, 265)).toBe('ustar\x0000');
    const size = Number.parseInt(text(124, 12), 8);
    members.push({
      name: text(0, 100),
      mode: text(100, 8),
      content: archive.toString('utf8', offset + 512, offset + 512 + size),
    });
    offset += 512 + Math.ceil(size / 512) * 512;
  }
  expect(archive.subarray(offset)).toEqual(Buffer.alloc(1024));
  return members;
}

const identity: GuestIdentity = {
  hostname: 'web',
  authorizedKey: 'ssh-ed25519 CLIENT vm web',
  hostKey: generateSshKeyPair('host web'),
  networks: [
    {
      macAddress: '52:54:00:AB:cd:ef',
      addresses: ['10.0.2.15/24'],
      gateway: '10.0.2.2',
      dnsServers: ['10.0.2.3'],
      mtu: undefined,
    },
    {
      macAddress: '52:54:00:00:00:02',
      addresses: ['10.1.0.2/16', 'fd00::2/64'],
      gateway: undefined,
      dnsServers: [],
      mtu: 9000,
    },
    { macAddress: '52:54:00:00:00:03', addresses: 'dhcp', gateway: undefined, dnsServers: [], mtu: undefined },
  ],
  hosts: [
    { address: '10.1.0.3', names: ['db'] },
    { address: '10.1.0.2', names: ['web'] },
  ],
  volumes: [],
};

test('the seed of our own boxes', () => {
  expect(readTar(tarArchive(identitySeed(identity, 'A="1"\n')))).toEqual([
    { name: 'hostname', mode: '0000644', content: 'web\n' },
    { name: 'authorized_keys', mode: '0000644', content: 'ssh-ed25519 CLIENT vm web\n' },
    { name: 'ssh_host_ed25519_key', mode: '0000600', content: identity.hostKey.privateKey },
    { name: 'ssh_host_ed25519_key.pub', mode: '0000644', content: `${identity.hostKey.publicKey}\n` },
    {
      name: 'dropbear_ed25519_host_key',
      mode: '0000600',
      content: Buffer.from(dropbearHostKey(identity.hostKey)).toString('utf8'),
    },
    {
      name: 'networks',
      mode: '0000644',
      content: `52:54:00:ab:cd:ef 10.0.2.15/24 10.0.2.2 10.0.2.3 -
52:54:00:00:00:02 10.1.0.2/16,fd00::2/64 - - 9000
52:54:00:00:00:03 dhcp - - -
`,
    },
    { name: 'hosts', mode: '0000644', content: '10.1.0.3 db\n10.1.0.2 web\n' },
    { name: 'environment', mode: '0000644', content: 'A="1"\n' },
  ]);
});

test('volumes, in their order', () => {
  const volumes = [
    { label: 'vm-logs', guestPath: '/srv', grows: false },
    { label: 'vm-pgdata', guestPath: '/srv/data', grows: true },
  ];
  const members = readTar(tarArchive(identitySeed({ ...identity, volumes }, '')));
  const content = 'vm-logs keep /srv\nvm-pgdata grow /srv/data\n';
  expect(members.at(-1)).toEqual({ name: 'volumes', mode: '0000644', content });
});

test('the same identity gives the same bytes', () => {
  expect(identitySeed(identity, '')).toEqual(identitySeed(identity, ''));
});

test.each([0, 1, 511, 512, 513])('a member of %i bytes', (length) => {
  const content = 'x'.repeat(length);
  expect(readTar(tarArchive([{ name: 'a', content, mode: 0o755 }]))).toEqual([{ name: 'a', mode: '0000755', content }]);
});
