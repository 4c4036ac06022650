import { generateKeyPairSync } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generateSshKeyPair } from '../../../src/communicators/keys.ts';
import { keyFingerprint, readUserPublicKey } from '../../../src/communicators/user-key.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'user-key-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function keyFile(name: string, text: string, mode = 0o600): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

/** As `openssl genpkey` writes it; with a passphrase encrypted. */
function pkcs8Key(passphrase?: string): string {
  const encryption = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase };
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', ...encryption },
  });
  return privateKey;
}

test('the public key of a private key', async () => {
  const pair = generateSshKeyPair('me');
  const path = await keyFile('good', pair.privateKey);
  expect(`${await readUserPublicKey(path)} me`).toBe(pair.publicKey);
});

test('what cannot be used is named with the cure', async () => {
  const pair = generateSshKeyPair('me');
  const encrypted =
    '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n';
  const cases: [string, string][] = [
    [join(folder, 'nope'), 'does not exist'],
    [await keyFile('open', pair.privateKey, 0o644), 'others may read'],
    [await keyFile('public', `${pair.publicKey}\n`), 'is a public key'],
    [await keyFile('text', 'hello\n'), 'is not a private key that can be read'],
    [await keyFile('encrypted', encrypted), 'is protected by a passphrase'],
    [await keyFile('encrypted-pkcs8', pkcs8Key('secret')), 'is protected by a passphrase'],
    [await keyFile('quote"d', pair.privateKey), 'cannot be written into'],
  ];
  for (const [path, text] of cases) await expect(readUserPublicKey(path)).rejects.toThrow(text);
});

test('a key in the format of other programs comes with the command that rewrites it', async () => {
  const path = await keyFile('pkcs8', pkcs8Key());
  await expect(readUserPublicKey(path)).rejects.toMatchObject({
    message: `ssh.private_key: ${path} is in the format PKCS #8, which is not read`,
    hint: `ssh-keygen -p -f ${path} rewrites it in OpenSSH's format`,
  });
});

test('a fingerprint as ssh-keygen prints it', () => {
  expect(keyFingerprint(Buffer.from(''))).toBe('SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU');
});
