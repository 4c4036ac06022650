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
    [await keyFile('quote"d', pair.privateKey), 'cannot be written into'],
  ];
  for (const [path, text] of cases) await expect(readUserPublicKey(path)).rejects.toThrow(text);
});

test('a fingerprint as ssh-keygen prints it', () => {
  expect(keyFingerprint(Buffer.from(''))).toBe('SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU');
});
