import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { storeLogin } from '../../../src/boxes/oci/login.ts';
import { VmError } from '../../../src/errors.ts';
import { sendAndCut, serve } from '../../support/local-server.ts';
import { openPushing } from './pushing.ts';

const failureOf = (work: Promise<unknown>) => work.catch((error: unknown) => error);
const content = Buffer.from('content of a blob');
const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const blob = { mediaType: 'a/b', digest: digestOf(content), size: content.length };

type Answer = (response: ServerResponse) => void;

function answer(
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body: Uint8Array | string = '',
): Answer {
  return (response) => void response.writeHead(status, headers).end(body);
}

/** A registry that answers each request with the next of these. */
async function openFaulty(...answers: readonly Answer[]) {
  const pushing = await openPushing();
  const rest = [...answers];
  const server = await serve((request, response) => {
    const give = rest.shift() ?? answer(418);
    request.resume().once('end', () => give(response));
  });
  return {
    ...pushing,
    server,
    registry: pushing.open(`127.0.0.1:${server.port}/app:1`, 'push'),
    shown: `127.0.0.1:${server.port}/app`,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await pushing[Symbol.asyncDispose]();
    },
  };
}

const busy = JSON.stringify({ errors: [{ code: 'TOOMANYREQUESTS', message: 'slow down' }] });

describe('another try', () => {
  test.each([
    [
      '503',
      answer(503),
      /^cannot read sha256:\w+ of 127.0.0.1:\d+\/app: HTTP 503 Service Unavailable: trying again in 1 s$/,
    ],
    [
      '429',
      answer(429, { 'retry-after': '0' }, busy),
      /HTTP 429 Too Many Requests: TOOMANYREQUESTS: slow down: trying again in 0 s$/,
    ],
    [
      'a connection that breaks',
      (response: ServerResponse) => void response.destroy(),
      /^no answer from 127.0.0.1:\d+: .*: trying again in 1 s$/,
    ],
    [
      'a body that breaks off',
      (response: ServerResponse) => {
        response.writeHead(200, { 'content-length': content.length });
        sendAndCut(response, content.subarray(0, 3));
      },
      /^the answer of 127.0.0.1:\d+ broke off: .*: trying again in 1 s$/,
    ],
    [
      'a body that is too short',
      answer(200, {}, 'cont'),
      /^127.0.0.1:\d+ ended after 4 of 17 bytes: trying again in 1 s$/,
    ],
  ])('after %s', async (_what, fault, told) => {
    await using faulty = await openFaulty(fault, answer(200, {}, content));
    expect(await faulty.registry.getBlob(blob)).toEqual(content);
    expect(faulty.texts).toEqual([expect.stringMatching(told)]);
  });

  test('five times, then the registry’s own reason is told', async () => {
    await using faulty = await openFaulty(...Array(6).fill(answer(500, {}, busy)));
    expect(await failureOf(faulty.registry.getBlob(blob))).toMatchObject({
      message: `cannot read ${blob.digest} of ${faulty.shown}: HTTP 500 Internal Server Error: TOOMANYREQUESTS: slow down`,
      hint: 'try again later',
    });
    expect(faulty.server.seen).toHaveLength(5);
  });

  test('an upload begins anew', async () => {
    await using faulty = await openFaulty(
      answer(202, { location: '/one' }),
      answer(502),
      answer(202, { location: '/two' }),
      answer(201),
    );
    await faulty.registry.pushBlob(blob.digest, content);
    expect(faulty.server.seen.map(({ method, url }) => `${method} ${url?.replace(/\?.*/, '')}`)).toEqual([
      'POST /v2/app/blobs/uploads/',
      'PUT /one',
      'POST /v2/app/blobs/uploads/',
      'PUT /two',
    ]);
  });
});

describe('what no other try changes', () => {
  test.each([
    ['a refusal', answer(400, {}, busy), /: HTTP 400 Bad Request: TOOMANYREQUESTS: slow down$/],
    ['a page for browsers', answer(404, {}, Buffer.alloc(70_000, 'x')), /: HTTP 404 Not Found$/],
    [
      'a blob that is too long',
      answer(200, {}, `${content} and more`),
      /\/blobs\/sha256:\w+ is larger than the 17 B it may have$/,
    ],
    ['another blob', answer(200, {}, 'content of a BLOB'), /\/app is not what its digest says$/],
  ])('%s', async (_what, fault, told) => {
    await using faulty = await openFaulty(fault);
    const error = await failureOf(faulty.registry.getBlob(blob));
    expect(error).toBeInstanceOf(VmError);
    expect(error).toMatchObject({ message: expect.stringMatching(told), hint: expect.any(String) });
    expect(faulty.server.seen).toHaveLength(1);
  });

  test('a manifest that is too large', async () => {
    await using faulty = await openFaulty(answer(200, {}, Buffer.alloc(4 * 2 ** 20 + 1, ' ')));
    await expect(faulty.registry.getManifest()).rejects.toThrow('is larger than the 4.0 MiB it may have');
  });

  test('a manifest that is not the one its header names', async () => {
    await using faulty = await openFaulty(answer(200, { 'docker-content-digest': blob.digest }, '{}'));
    await expect(faulty.registry.getManifest()).rejects.toThrow(`${faulty.shown}:1 is not what its digest says`);
  });
});

test('a registry that does not name the digest is asked for the manifest', async () => {
  await using faulty = await openFaulty(answer(200), answer(200, {}, content));
  expect(await faulty.registry.findDigest()).toBe(blob.digest);
  expect(faulty.server.seen.map(({ method }) => method)).toEqual(['HEAD', 'GET']);
});

describe('credentials', () => {
  const challenge = { 'www-authenticate': 'Basic realm="x"' };

  async function openWithLogin(...answers: readonly Answer[]) {
    const faulty = await openFaulty(...answers);
    const config = { path: faulty.dockerConfigPath, registry: `127.0.0.1:${faulty.server.port}` };
    await storeLogin(config, { user: 'ann', password: 'secret' }, new AbortController().signal);
    return faulty;
  }

  test('do not go to where a registry has its uploads', async () => {
    await using storage = await serve((_request, response) => response.writeHead(201).end());
    await using faulty = await openWithLogin(
      answer(401, challenge),
      answer(202, { location: `${storage.origin}/put` }),
    );
    await faulty.registry.pushBlob(blob.digest, content);
    expect(faulty.server.seen.at(-1)?.headers.authorization).toMatch(/^Basic /);
    expect(storage.seen).toHaveLength(1);
    expect(storage.seen[0]?.headers).not.toHaveProperty('authorization');
  });

  test('do not go over the network unencrypted', async () => {
    const bearer = { 'www-authenticate': 'Bearer realm="http://192.0.2.1/token"' };
    await using faulty = await openWithLogin(answer(401, bearer));
    await expect(faulty.registry.getBlob(blob)).rejects.toThrow('wants passwords sent to http://192.0.2.1');
    expect(faulty.requests).toHaveLength(1);
  });

  test('a token that is used up is renewed', async () => {
    let issued = 0;
    await using tokens = await serve((_request, response) => response.end(`{"access_token":"t${++issued}"}`));
    const bearer = { 'www-authenticate': `Bearer realm="${tokens.origin}/token"` };
    const found = answer(200, {}, content);
    await using faulty = await openWithLogin(answer(401, bearer), found, found, answer(401, bearer), found);
    for (let i = 0; i < 3; i++) expect(await faulty.registry.getBlob(blob)).toEqual(content);
    expect(faulty.server.seen.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      'Bearer t1',
      'Bearer t1',
      'Bearer t1',
      'Bearer t2',
    ]);
  });

  test('two requests at once ask for one token', async () => {
    await using tokens = await serve((_request, response) => response.end('{"token":"t"}'));
    await using faulty = await openPushing();
    await using server = await serve(({ headers }, response) => {
      if (headers.authorization === 'Bearer t') response.end(content);
      else response.writeHead(401, { 'www-authenticate': `Bearer realm="${tokens.origin}/token"` }).end();
    });
    const registry = faulty.open(`127.0.0.1:${server.port}/app:1`, 'pull');
    await Promise.all([registry.getBlob(blob), registry.getBlob(blob)]);
    expect(tokens.seen).toHaveLength(1);
  });

  test('a request that is refused late takes the token that another has got', async () => {
    await using tokens = await serve((_request, response) => response.end('{"token":"t"}'));
    await using faulty = await openPushing();
    const refusals: (() => void)[] = [];
    await using server = await serve(({ headers }, response) => {
      const refuse = answer(401, { 'www-authenticate': `Bearer realm="${tokens.origin}/token"` });
      if (headers.authorization === undefined) refusals.push(() => refuse(response));
      else response.end(content);
      if (headers.authorization !== undefined || refusals.length === 2) refusals.shift()?.();
    });
    const registry = faulty.open(`127.0.0.1:${server.port}/app:1`, 'pull');
    await Promise.all([registry.getBlob(blob), registry.getBlob(blob)]);
    expect(tokens.seen).toHaveLength(1);
    expect(server.seen).toHaveLength(4);
  });

  test.each(['{"token":"a\\r\\nb"}', '{"token":""}', '{}', 'secret'])('%s is no token', async (body) => {
    await using tokens = await serve((_request, response) => response.end(body));
    await using faulty = await openWithLogin(answer(401, { 'www-authenticate': `Bearer realm="${tokens.origin}"` }));
    const error = await failureOf(faulty.registry.getBlob(blob));
    expect(error).toBeInstanceOf(VmError);
    expect(error).toMatchObject({ message: expect.not.stringContaining('secret') });
    expect(faulty.server.seen).toHaveLength(1);
  });
});
