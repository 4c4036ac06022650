import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { expect, test } from 'vitest';
import { dropbearHostKey, generateSshKeyPair, knownHostsText } from '../../../src/communicators/keys.ts';

/** Reads a sequence of SSH strings. */
function readFields(bytes: Buffer): Buffer[] {
  const fields: Buffer[] = [];
  for (let offset = 0; offset + 4 <= bytes.length; ) {
    const length = bytes.readUInt32BE(offset);
    fields.push(bytes.subarray(offset + 4, offset + 4 + length));
    offset += 4 + length;
  }
  return fields;
}

function privateKeyBytes(text: string): Buffer {
  return Buffer.from(text.replace(/-----.*-----/g, ''), 'base64');
}

test.each(['vm web', 'a', 'longer comment', ''])('the private key file belongs to the public line (%j)', (comment) => {
  const pair = generateSshKeyPair(comment);
  const [type, base64 = '', ...rest] = pair.publicKey.split(' ');
  expect(type).toBe('ssh-ed25519');
  expect(rest.join(' ')).toBe(comment);
  const [, publicBytes] = readFields(Buffer.from(base64, 'base64'));

  const magic = 'openssh-key-v1\0';
  const bytes = privateKeyBytes(pair.privateKey);
  expect(bytes.subarray(0, magic.length).toString()).toBe(magic);
  const head = readFields(bytes.subarray(magic.length, magic.length + 4 + 4 + 4 + 4 + 4));
  expect(head.slice(0, 2).map(String)).toEqual(['none', 'none']);
  // The count of keys stands between the options and the first key.
  const [publicBlob, section = Buffer.alloc(0)] = readFields(bytes.subarray(magic.length + 8 + 8 + 4 + 4));
  expect(publicBlob?.toString('base64')).toBe(base64);
  expect(section.length % 8).toBe(0);
  expect(section.readUInt32BE(0)).toBe(section.readUInt32BE(4));
  const [keyType, inner, seedAndPublic, storedComment] = readFields(section.subarray(8));
  expect([String(keyType), inner, String(storedComment)]).toEqual(['ssh-ed25519', publicBytes, comment]);
  expect(canSignFor(seedAndPublic?.subarray(0, 32) ?? Buffer.alloc(0), publicBytes ?? Buffer.alloc(0))).toBe(true);
  expect(readFields(Buffer.from(dropbearHostKey(pair)))).toEqual([keyType, seedAndPublic]);
});

function canSignFor(seed: Buffer, publicBytes: Buffer): boolean {
  const der = (prefix: string, key: Buffer) => Buffer.concat([Buffer.from(prefix, 'hex'), key]);
  const privateKey = createPrivateKey({
    key: der('302e020100300506032b657004220420', seed),
    format: 'der',
    type: 'pkcs8',
  });
  const publicKey = createPublicKey({ key: der('302a300506032b6570032100', publicBytes), format: 'der', type: 'spki' });
  const message = Buffer.from('message');
  return verify(null, message, publicKey, sign(null, message, privateKey));
}

test('no two pairs are alike', () => {
  expect(generateSshKeyPair('x').publicKey).not.toBe(generateSshKeyPair('x').publicKey);
});

test('a pinned key loses its comment', () => {
  expect(knownHostsText('machine', 'ssh-ed25519 AAAA host web')).toBe('machine ssh-ed25519 AAAA\n');
});
