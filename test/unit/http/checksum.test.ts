import { expect, test } from 'vitest';
import {
  findInChecksumFile,
  formatWantedChecksum,
  parseChecksum,
  parseWantedChecksum,
} from '../../../src/http/checksum.ts';

const md5 = 'd41d8cd98f00b204e9800998ecf8427e';
const sha1 = 'da39a3ee5e6b4b0d3255bfef95601890afd80709';
const sha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const other256 = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const sha384 = '38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b';
const sha512 = `cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce${'47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e'}`;

test.each([
  [`md5:${md5}`, { algorithm: 'md5', hex: md5 }],
  [`sha1:${sha1}`, { algorithm: 'sha1', hex: sha1 }],
  [`sha256:${sha256}`, { algorithm: 'sha256', hex: sha256 }],
  [`SHA256:${sha256.toUpperCase()}`, { algorithm: 'sha256', hex: sha256 }],
  [`sha384:${sha384}`, { algorithm: 'sha384', hex: sha384 }],
  [`sha512:${sha512}`, { algorithm: 'sha512', hex: sha512 }],
  [sha256, { algorithm: 'sha256', hex: sha256 }],
  [`${sha512}\n`, { algorithm: 'sha512', hex: sha512 }],
  [md5, undefined],
  [sha384, undefined],
  [`sha256:${sha1}`, undefined],
  [`crc32:${sha256}`, undefined],
  [`toString:${sha256}`, undefined],
  ['sha256:', undefined],
  ['https://example.com/SHA256SUMS', undefined],
  [`sha256:${sha256.replace('e', 'g')}`, undefined],
])('%s', (text, checksum) => {
  expect(parseChecksum(text)).toEqual(checksum);
});

const found = { algorithm: 'sha256', hex: sha256 };

test.each([
  ['text mode', `${other256}  b.qcow2\n${sha256}  a.qcow2\n`, found],
  ['binary mode', `${other256} *b.qcow2\n${sha256} *a.qcow2\n`, found],
  ['a folder before the name', `${other256}  sub/a.qcow2\n${sha256}  ./a.qcow2\n`, found],
  ['--tag', `SHA256 (b.qcow2) = ${other256}\nSHA256 (a.qcow2) = ${sha256}\n`, found],
  ['lines of Windows', `${sha256} *a.qcow2\r\n`, found],
  ['upper case', `${sha256.toUpperCase()}  a.qcow2\n`, found],
  [
    'the strongest of several',
    `${md5}  a.qcow2\n${sha512}  a.qcow2\n${sha256}  a.qcow2\n`,
    { algorithm: 'sha512', hex: sha512 },
  ],
  ['the strongest of several, --tag', `SHA1 (a.qcow2) = ${sha1}\nSHA256 (a.qcow2) = ${sha256}`, found],
  ['another name only', `${sha256}  aa.qcow2\n${sha256}  a.qcow2.asc\n`, undefined],
  ['a digest of no length we know', `${sha256}00  a.qcow2\n`, undefined],
  ['a digest that is not its algorithm’s', `SHA512 (a.qcow2) = ${sha256}\n`, undefined],
  ['nothing', '', undefined],
  ['one digest alone, SHA-512', `${sha512}\n`, { algorithm: 'sha512', hex: sha512 }],
  ['one digest alone, upper case, SHA-256', ` ${sha256.toUpperCase()}\r\n`, found],
  ['two digests alone', `${sha256}\n${other256}\n`, undefined],
  ['a digest alone among other lines', `${sha256}\n${other256}  b.qcow2\n`, undefined],
  ['a digest alone of no length we know', `${sha256}00`, undefined],
])('a file of checksums: %s', (_what, text, checksum) => {
  expect(findInChecksumFile(text, 'a.qcow2')).toEqual(checksum);
});

test('a checksum is given, or where it is listed', () => {
  const hex = '0a'.repeat(32);
  expect(parseWantedChecksum(`sha256:${hex}`)).toEqual({ algorithm: 'sha256', hex });
  expect(parseWantedChecksum('https://x.example/SHA256SUMS')).toEqual({ listedAt: 'https://x.example/SHA256SUMS' });
  expect(parseWantedChecksum('SHA256SUMS')).toBeUndefined();
  for (const text of [`sha512:${hex}${hex}`, 'http://x.example/S']) {
    const wanted = parseWantedChecksum(text);
    expect(wanted && formatWantedChecksum(wanted)).toBe(text);
  }
});

test('a file of checksums inside a signed message, as Fedora publishes it', () => {
  const text = `-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA256

# Fedora-Cloud-Base-Generic-41-1.4.x86_64.qcow2: 491716608 bytes
SHA256 (Fedora-Cloud-Base-Generic-41-1.4.x86_64.qcow2) = ${sha256}
-----BEGIN PGP SIGNATURE-----

iQIzBAEBCAAdFiEERm89t2Bz0pWJKkp0rrQc4OmQfigFAmcX3jEACgkQrrQc4OmQ
-----END PGP SIGNATURE-----
`;
  expect(findInChecksumFile(text, 'Fedora-Cloud-Base-Generic-41-1.4.x86_64.qcow2')).toEqual(found);
  expect(findInChecksumFile(text, 'Hash: SHA256')).toBeUndefined();
});
