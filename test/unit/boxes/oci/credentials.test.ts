import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DockerConfig, findCredentials } from '../../../../src/boxes/oci/credentials.ts';
import { storeLogin } from '../../../../src/boxes/oci/login.ts';
import { VmError } from '../../../../src/errors.ts';

const { signal } = new AbortController();
const base64 = (text: string) => Buffer.from(text).toString('base64');

let dir: string;
let path: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vm-docker-'));
  path = join(dir, 'config.json');
});

afterEach(() => rm(dir, { recursive: true }));

const config = (registry: string): DockerConfig => ({ path, registry });

async function find(registry: string, content: object | string) {
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return findCredentials(config(registry), signal);
}

describe('findCredentials', () => {
  const ann = { kind: 'password', user: 'ann', password: 'a:b' } as const;

  test('finds none where there is no file', async () => {
    expect(await findCredentials(config('ghcr.io'), signal)).toBeUndefined();
  });

  test.each([
    ['its name', 'ghcr.io', 'ghcr.io'],
    ['its name and port', 'registry:5000', 'registry:5000'],
    ['a URL of it', 'ghcr.io', 'https://ghcr.io/v1/'],
    ['the old address of Docker Hub', 'docker.io', 'https://index.docker.io/v1/'],
  ])('by %s', async (_what, registry, key) => {
    expect(await find(registry, { auths: { [key]: { auth: base64('ann:a:b') } } })).toEqual(ann);
  });

  test('its name comes before a URL of it', async () => {
    const auths = { 'https://ghcr.io': { auth: base64('old:x') }, 'ghcr.io': { auth: base64('ann:a:b') } };
    expect(await find('ghcr.io', { auths })).toEqual(ann);
  });

  test('a token comes before a password', async () => {
    const auths = { 'ghcr.io': { auth: base64('ann:a:b'), identitytoken: 'T' } };
    expect(await find('ghcr.io', { auths })).toEqual({ kind: 'token', token: 'T' });
  });

  test.each([
    ['another registry', { auths: { 'ghcr.io:444': { auth: base64('ann:a:b') } } }],
    ['an empty entry', { auths: { 'ghcr.io': {} } }],
    ['null', { auths: null, credHelpers: null }],
  ])('none in %s', async (_what, content) => {
    expect(await find('ghcr.io', content)).toBeUndefined();
  });

  test('an empty name of a helper means the file', async () => {
    const auths = { 'ghcr.io': { auth: base64('ann:a:b') } };
    expect(await find('ghcr.io', { auths, credsStore: 'none', credHelpers: { 'ghcr.io': '' } })).toEqual(ann);
  });

  test.each([
    ['is not a JSON object', '{"auths": {"ghcr.io": {"auth": "c2VjcmV0Og==", '],
    ['is not a JSON object', '"c2VjcmV0"'],
    [': auths is not an object', { auths: [] }],
    [': auths.ghcr.io is not an object', { auths: { 'ghcr.io': 'c2VjcmV0' } }],
    [': auths.ghcr.io.auth is not USER:PASSWORD in base64', { auths: { 'ghcr.io': { auth: 'c2VjcmV0' } } }],
  ])('%s, and no secret is told', async (what, content) => {
    const error = await find('ghcr.io', content).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(VmError);
    expect(error).toMatchObject({ hint: 'correct it, or move it away and log in again' });
    expect(error).not.toHaveProperty('cause');
    expect(error).toMatchObject({ message: what.startsWith(':') ? `${path}${what}` : `${path} ${what}` });
  });
});

describe('storeLogin', () => {
  const login = { user: 'ann', password: 'a:b' };

  test('makes a private file, and what is stored is found', async () => {
    path = join(dir, 'new', 'config.json');
    await storeLogin(config('ghcr.io'), login, signal);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(dir, 'new'))).mode & 0o777).toBe(0o700);
    expect(await findCredentials(config('ghcr.io'), signal)).toEqual({ kind: 'password', ...login });
  });

  test('keeps everything else', async () => {
    const others = { 'quay.io': { auth: 'x', email: 'y' } };
    const before = { psFormat: 'table', auths: { ...others, 'ghcr.io': { identitytoken: 'T' } }, plugins: { a: [1] } };
    await writeFile(path, JSON.stringify(before), { mode: 0o644 });
    await storeLogin(config('ghcr.io'), login, signal);
    const auths = { ...others, 'ghcr.io': { auth: base64('ann:a:b') } };
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ ...before, auths });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('writes to the file behind a link', async () => {
    const real = join(dir, 'dotfiles.json');
    await writeFile(real, '{}');
    await symlink(real, path);
    await storeLogin(config('ghcr.io'), login, signal);
    expect(JSON.parse(await readFile(real, 'utf8'))).toEqual({ auths: { 'ghcr.io': { auth: base64('ann:a:b') } } });
  });

  test('touches no file that it does not understand', async () => {
    await writeFile(path, 'mine');
    await expect(storeLogin(config('ghcr.io'), login, signal)).rejects.toThrow(`${path} is not a JSON object`);
    expect(await readFile(path, 'utf8')).toBe('mine');
  });
});
