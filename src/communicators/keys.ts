import { generateKeyPairSync, randomInt } from 'node:crypto';
import { writeFileAtomic } from '../host/files.ts';

/** An ed25519 key pair in the formats that OpenSSH and dropbear read. */
export interface SshKeyPair {
  /** The text of a private key file. */
  readonly privateKey: string;
  /** One line without its end: `ssh-ed25519 AAAA… comment`. */
  readonly publicKey: string;
}

const KEY_TYPE = 'ssh-ed25519';

/** The length of an ed25519 key, private or public. */
const KEY_BYTES = 32;

/** DER puts this many bytes before the key itself (RFC 8410). */
const PKCS8_PREFIX_BYTES = 16;
const SPKI_PREFIX_BYTES = 12;

/** The unencrypted private section is padded to this size. */
const BLOCK_BYTES = 8;

/**
 * Makes a key pair. Encoded here, not by ssh2, so that creating a machine need not load ssh2.
 * Format: PROTOCOL.key of OpenSSH.
 */
export function generateSshKeyPair(comment: string): SshKeyPair {
  const pair = generateKeyPairSync('ed25519', {
    privateKeyEncoding: { type: 'pkcs8', format: 'der' },
    publicKeyEncoding: { type: 'spki', format: 'der' },
  });
  const seed = pair.privateKey.subarray(PKCS8_PREFIX_BYTES, PKCS8_PREFIX_BYTES + KEY_BYTES);
  const publicBytes = pair.publicKey.subarray(SPKI_PREFIX_BYTES, SPKI_PREFIX_BYTES + KEY_BYTES);
  const publicBlob = Buffer.concat([field(KEY_TYPE), field(publicBytes)]);
  return {
    privateKey: privateKeyFile(publicBlob, privateSection({ seed, publicBytes, comment })),
    publicKey: `${KEY_TYPE} ${publicBlob.toString('base64')} ${comment}`,
  };
}

function privateSection(key: { seed: Buffer; publicBytes: Buffer; comment: string }): Buffer {
  const checkNumber = uint32(randomInt(2 ** 32));
  const section = Buffer.concat([
    checkNumber,
    checkNumber,
    field(KEY_TYPE),
    field(key.publicBytes),
    field(Buffer.concat([key.seed, key.publicBytes])),
    field(key.comment),
  ]);
  const paddingBytes = (BLOCK_BYTES - (section.length % BLOCK_BYTES)) % BLOCK_BYTES;
  return Buffer.concat([section, Buffer.from(Array.from({ length: paddingBytes }, (_, index) => index + 1))]);
}

function privateKeyFile(publicBlob: Buffer, section: Buffer): string {
  const bytes = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    field('none'), // cipher
    field('none'), // key derivation
    field(''), // its options
    uint32(1), // number of keys
    field(publicBlob),
    field(section),
  ]);
  const lines = bytes.toString('base64').match(/.{1,70}/g) ?? [];
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n');
}

/**
 * The private key of a pair that was made here, as dropbear's server reads it. In a guest `dropbearconvert` would take a
 * tenth of a second of each boot.
 */
export function dropbearHostKey({ privateKey }: Pick<SshKeyPair, 'privateKey'>): Uint8Array {
  const bytes = Buffer.from(privateKey.split('\n').slice(1, -2).join(''), 'base64');
  const type = field(KEY_TYPE);
  // The last of them begins the private section, where the public key follows, and then the secret with it.
  const secretStart = bytes.lastIndexOf(type) + type.length + field(Buffer.alloc(KEY_BYTES)).length;
  return Buffer.concat([type, bytes.subarray(secretStart, secretStart + field(Buffer.alloc(2 * KEY_BYTES)).length)]);
}

/** SSH's `string`: a length of four bytes, then the bytes. */
function field(data: string | Uint8Array): Buffer {
  const bytes = Buffer.from(data);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Writes both files, 0600. */
export async function writeSshKeyPair(
  pair: SshKeyPair,
  paths: { readonly privateKeyPath: string; readonly publicKeyPath: string },
): Promise<void> {
  await writeFileAtomic(paths.privateKeyPath, pair.privateKey);
  await writeFileAtomic(paths.publicKeyPath, `${pair.publicKey}\n`);
}

/** The content of a known_hosts file that pins one key to the name given as `HostKeyAlias`. */
export function knownHostsText(hostKeyAlias: string, hostKey: string): string {
  const [type, key] = hostKey.split(' ');
  return `${hostKeyAlias} ${type} ${key}\n`;
}
