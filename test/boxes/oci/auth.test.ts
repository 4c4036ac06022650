import { execFile } from 'node:child_process';
import { sign, X509Certificate } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { findCredentials } from '../../../src/boxes/oci/credentials.ts';
import { checkLogin, storeLogin } from '../../../src/boxes/oci/login.ts';
import { MissingToolError, VmError } from '../../../src/errors.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { type DockerRegistry, startRegistry } from '../../support/docker-registry.ts';
import { type LocalServer, serve } from '../../support/local-server.ts';
import { openPushing } from './pushing.ts';

const runProgram = promisify(execFile);
const { signal } = new AbortController();
const failureOf = (work: Promise<unknown>) => work.catch((error: unknown) => error);
const disk = Buffer.from('content of a disk');
const ann = { user: 'ann', password: 'correct horse' };

type Pushing = Awaited<ReturnType<typeof openPushing>>;

/** As `vm box login` does. */
async function login(pushing: Pushing, registry: string, { user, password } = ann): Promise<void> {
  await checkLogin(registry, { user, password }, { client: pushing.client, signal });
  await storeLogin({ path: pushing.dockerConfigPath, registry }, { user, password }, signal);
}

async function expectLoginRefused(pushing: Pushing, registry: string): Promise<void> {
  const error = await failureOf(login(pushing, registry, { user: 'ann', password: 'wrong horse' }));
  expect(error).toBeInstanceOf(VmError);
  expect(error).toMatchObject({
    message: `${registry} does not let ann in with this password`,
    hint: 'check both; many registries want an access token for the password',
  });
}

describe('a registry that wants a password', () => {
  let registry: DockerRegistry;
  let world: Pushing;

  beforeAll(async () => {
    world = await openPushing();
    const path = join(world.dir, 'htpasswd');
    // The cheapest bcrypt: the registry knows no other kind.
    const { stdout } = await runProgram('htpasswd', ['-nbB', '-C', '4', ann.user, ann.password]);
    await writeFile(path, stdout);
    registry = await startRegistry({ htpasswd: { realm: 'tests', path } });
  });

  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  test('lets in who has logged in, and asks only once', async () => {
    await using pushing = await openPushing();
    const reference = `${registry.name}/team/app:1`;
    await login(pushing, registry.name);
    pushing.requests.length = 0;
    await pushing.push(reference, disk);
    const anonymous = pushing.requests.filter(({ headers }) => headers?.authorization === undefined);
    expect(anonymous.map(({ method }) => method)).toEqual(['HEAD']);
    await pushing.pull(reference, 'pulled');
    expect(await pushing.readDisk('pulled')).toEqual(disk);
  });

  test('tells who has not how to', async () => {
    await using pushing = await openPushing();
    const reference = `${registry.name}/team/app:1`;
    const error = await failureOf(pushing.pull(reference, 'pulled'));
    expect(error).toBeInstanceOf(VmError);
    expect(error).toMatchObject({
      message: `cannot read ${reference}: HTTP 401 Unauthorized: UNAUTHORIZED: authentication required`,
      hint: `vm box login ${registry.name}`,
    });
  });

  test('a wrong password', async () => {
    await using pushing = await openPushing();
    await expectLoginRefused(pushing, registry.name);
    await storeLogin({ path: pushing.dockerConfigPath, registry: registry.name }, { ...ann, password: 'x' }, signal);
    const error = await failureOf(pushing.push(`${registry.name}/team/app:2`, disk));
    expect(error).toMatchObject({ hint: `vm box login ${registry.name}` });
  });
});

/** Speaks Docker's token protocol for a registry that trusts this certificate. */
function issueTokens({ key, cert }: { readonly key: string; readonly cert: string }): RequestListener {
  const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const password = `Basic ${Buffer.from(`${ann.user}:${ann.password}`).toString('base64')}`;
  return (request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://localhost');
    const { authorization } = request.headers;
    if (authorization !== undefined && authorization !== password) {
      response.writeHead(401).end('{"errors":[{"code":"UNAUTHORIZED","message":"incorrect password"}]}');
      return;
    }
    const access = searchParams.getAll('scope').map((scope) => {
      const [type, name, actions = ''] = scope.split(':');
      // Everybody may pull.
      return { type, name, actions: actions.split(',').filter((action) => authorization || action === 'pull') };
    });
    const seconds = Math.floor(Date.now() / 1000);
    const header = { typ: 'JWT', alg: 'ES256', x5c: [new X509Certificate(cert).raw.toString('base64')] };
    const claims = { iss: 'tests', aud: 'boxes', sub: 'ann', nbf: seconds - 60, iat: seconds, exp: seconds + 60 };
    const signed = `${base64url(header)}.${base64url({ ...claims, jti: 'x', access })}`;
    const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
    response.end(JSON.stringify({ token: `${signed}.${signature}` }));
  };
}

describe('a registry that wants a token', () => {
  let certificate: Awaited<ReturnType<typeof makeCertificate>>;
  let tokens: LocalServer;
  let registry: DockerRegistry;

  beforeAll(async () => {
    certificate = await makeCertificate();
    tokens = await serve(issueTokens(certificate.tls));
    const realm = `${tokens.origin}/token`;
    registry = await startRegistry({
      token: { realm, service: 'boxes', issuer: 'tests', rootcertbundle: certificate.certPath },
    });
  });

  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    await tokens[Symbol.asyncDispose]();
    await certificate[Symbol.asyncDispose]();
  });

  test('gets one for each task, and lets everybody pull what somebody pushed', async () => {
    await using pushing = await openPushing();
    await using stranger = await openPushing();
    const reference = `${registry.name}/team/app:1`;
    await login(pushing, registry.name);
    const before = tokens.seen.length;
    await pushing.push(reference, disk);
    await stranger.pull(reference, 'pulled');
    expect(await stranger.readDisk('pulled')).toEqual(disk);
    const scopes = tokens.seen
      .slice(before)
      .map(({ url }) => new URL(url ?? '', tokens.origin).searchParams.getAll('scope'));
    expect(scopes).toEqual([
      ['repository:team/app:pull,push', 'repository:team/app:pull'],
      ['repository:team/app:pull'],
    ]);
  });

  test('who may not push is told', async () => {
    await using stranger = await openPushing();
    const error = await failureOf(stranger.push(`${registry.name}/team/app:2`, disk));
    expect(error).toBeInstanceOf(VmError);
    expect(error).toMatchObject({ hint: `vm box login ${registry.name}` });
  });

  test('a wrong password is refused by the server of tokens', async () => {
    await using pushing = await openPushing();
    await expectLoginRefused(pushing, registry.name);
    await storeLogin({ path: pushing.dockerConfigPath, registry: registry.name }, { ...ann, password: 'x' }, signal);
    const error = await failureOf(pushing.push(`${registry.name}/team/app:2`, disk));
    const where = `${registry.name} at 127.0.0.1:${tokens.port}`;
    expect(error).toMatchObject({
      message: `cannot log in to ${where}: HTTP 401 Unauthorized: UNAUTHORIZED: incorrect password`,
      hint: `vm box login ${registry.name}`,
    });
  });
});

describe('a helper for credentials', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  /** `docker-credential-test`, which keeps what it is given in files. */
  async function installHelper({ dir, dockerConfigPath }: Pushing): Promise<void> {
    const script = `#!/bin/sh
      case $1 in
        store) cat >"${dir}/kept" ;;
        get)
          read -r registry
          echo "$registry" >>"${dir}/asked"
          case $registry in
            *.example.org) cat "${dir}/kept" ;;
            locked.test) echo 'the keychain is locked'; exit 1 ;;
            token.test) echo '{"ServerURL":"x","Username":"<token>","Secret":"T"}' ;;
            broken.test) echo 'secret' ;;
            *) echo 'credentials not found in native keychain'; exit 1 ;;
          esac
      esac
    `;
    await writeFile(join(dir, 'docker-credential-test'), script);
    await chmod(join(dir, 'docker-credential-test'), 0o755);
    vi.stubEnv('PATH', [dir, process.env.PATH].join(delimiter));
    await mkdir(join(dir, 'docker'));
    const auths = { 'quay.io': { auth: Buffer.from('bob:b').toString('base64') } };
    await writeFile(
      dockerConfigPath,
      JSON.stringify({ credHelpers: { 'a.example.org': 'test' }, auths, credsStore: 'test' }),
    );
  }

  const find = ({ dockerConfigPath: path }: Pushing, registry: string) => findCredentials({ path, registry }, signal);

  test('keeps what is stored, and the file stays as it is', async () => {
    await using pushing = await openPushing();
    await installHelper(pushing);
    const before = await readFile(pushing.dockerConfigPath, 'utf8');
    await storeLogin({ path: pushing.dockerConfigPath, registry: 'a.example.org' }, ann, signal);
    expect(JSON.parse(await readFile(join(pushing.dir, 'kept'), 'utf8'))).toEqual({
      ServerURL: 'a.example.org',
      Username: 'ann',
      Secret: 'correct horse',
    });
    expect(await readFile(pushing.dockerConfigPath, 'utf8')).toBe(before);
    expect(await find(pushing, 'a.example.org')).toEqual({ kind: 'password', ...ann });
    expect(await readFile(join(pushing.dir, 'asked'), 'utf8')).toBe('a.example.org\n');
  });

  test('gives tokens, and leaves what it does not have to the file', async () => {
    await using pushing = await openPushing();
    await installHelper(pushing);
    expect(await find(pushing, 'token.test')).toEqual({ kind: 'token', token: 'T' });
    expect(await find(pushing, 'quay.io')).toEqual({ kind: 'password', user: 'bob', password: 'b' });
    expect(await find(pushing, 'ghcr.io')).toBeUndefined();
    expect(await readFile(join(pushing.dir, 'asked'), 'utf8')).toBe('token.test\nquay.io\nghcr.io\n');
  });

  test.each([
    ['locked.test', 'docker-credential-test failed to get credentials: the keychain is locked'],
    ['broken.test', 'the answer of docker-credential-test is not a JSON object'],
  ])('that fails: %s', async (registry, message) => {
    await using pushing = await openPushing();
    await installHelper(pushing);
    const error = await failureOf(find(pushing, registry));
    expect(error).toBeInstanceOf(VmError);
    expect(error).toMatchObject({ message, hint: `check it: ${pushing.dockerConfigPath} names it` });
  });

  test('that is not installed', async () => {
    await using pushing = await openPushing();
    await mkdir(join(pushing.dir, 'docker'));
    await writeFile(pushing.dockerConfigPath, '{"credsStore":"nowhere"}');
    const error = await failureOf(find(pushing, 'ghcr.io'));
    expect(error).toBeInstanceOf(MissingToolError);
    expect(error).toMatchObject({
      tool: 'docker-credential-nowhere',
      hint: `${pushing.dockerConfigPath} names it: install it, or remove it there`,
    });
  });
});
