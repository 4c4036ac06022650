import { writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from 'vitest';
import { InterruptedError, type VmError } from '../../../src/errors.ts';
import { type HttpRequest, openHttpClient } from '../../../src/http/http-client.ts';
import { HttpConnectionError, HttpError } from '../../../src/http/http-errors.ts';
import type { ProxyEnvironment } from '../../../src/http/proxy.ts';
import { readBody } from '../../../src/http/read-body.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { sendAndCut, serve, unusedPort } from '../../support/local-server.ts';

const { signal } = new AbortController();
const certificate = await makeCertificate();
const { dir, certPath, tls } = certificate;

afterAll(() => certificate[Symbol.asyncDispose]());

/** One request with a client of its own. */
async function get(url: string, env: ProxyEnvironment = {}, more: Partial<HttpRequest> = {}) {
  await using client = await openHttpClient({ env });
  const response = await client.request({ url, signal, ...more });
  return { status: response.status, headers: response.headers, text: await text(response.body) };
}

function redirectTo(location: string, status = 302) {
  return (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(status, { location }).end('gone there');
  };
}

test('a response: status, headers, body', async () => {
  await using server = await serve((_request, response) => {
    response.writeHead(418, { 'X-Kind': 'Teapot', 'Set-Cookie': ['a=1', 'b=2'] }).end('short and stout');
  });
  expect(await get(`${server.origin}/pot?full=1`)).toMatchObject({
    status: 418,
    headers: { 'x-kind': 'Teapot', 'set-cookie': 'a=1' },
    text: 'short and stout',
  });
  expect(server.seen).toMatchObject([{ method: 'GET', url: '/pot?full=1', headers: { 'user-agent': 'machinefile' } }]);
});

test('what is sent', async () => {
  let received = '';
  await using server = await serve(async (request, response) => {
    received = await text(request);
    response.writeHead(201).end();
  });
  const more: Partial<HttpRequest> = { method: 'PUT', body: 'words', headers: { 'content-type': 'text/plain' } };
  expect(await get(server.origin, {}, more)).toMatchObject({ status: 201, text: '' });
  expect(server.seen).toMatchObject([
    { method: 'PUT', headers: { 'content-type': 'text/plain', 'content-length': '5' } },
  ]);
  expect(received).toBe('words');
});

describe('redirects', () => {
  const headers = { Authorization: 'Bearer secret', Cookie: 'id=secret', Accept: 'text/plain' };

  test.each([301, 302, 303, 307, 308])('%i on the same host keeps credentials', async (status) => {
    await using server = await serve((request, response) => {
      if (request.url === '/there') response.end('here it is');
      else redirectTo('there', status)(request, response);
    });
    expect(await get(server.origin, {}, { headers })).toMatchObject({ status: 200, text: 'here it is' });
    expect(server.seen[1]?.headers).toMatchObject({ authorization: 'Bearer secret', cookie: 'id=secret' });
  });

  test('to another host: credentials stay behind', async () => {
    await using target = await serve((_request, response) => response.end('elsewhere'));
    await using server = await serve(redirectTo(`${target.origin}/x`));
    expect(await get(server.origin, {}, { headers })).toMatchObject({ text: 'elsewhere' });
    expect(server.seen[0]?.headers.authorization).toBe('Bearer secret');
    expect(target.seen[0]?.headers).toMatchObject({ accept: 'text/plain' });
    expect(target.seen[0]?.headers).not.toHaveProperty('authorization');
    expect(target.seen[0]?.headers).not.toHaveProperty('cookie');
  });

  test('in a circle: the last one is the response', async () => {
    await using server = await serve(redirectTo('/again'));
    expect(await get(server.origin)).toMatchObject({ status: 302 });
    expect(server.seen).toHaveLength(11);
  });

  test('not followed when that is wanted', async () => {
    await using server = await serve(redirectTo('/there', 307));
    expect(await get(server.origin, {}, { maxRedirects: 0 })).toMatchObject({
      status: 307,
      headers: { location: '/there' },
      text: 'gone there',
    });
    expect(server.seen).toHaveLength(1);
  });

  test('from https to http: refused', async () => {
    await using target = await serve((_request, response) => response.end());
    await using server = await serve(redirectTo(target.origin), tls);
    const error = await get(server.origin, { SSL_CERT_FILE: certPath }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(HttpError);
    expect(error).toMatchObject({ message: `127.0.0.1:${server.port} redirects from https to http` });
    expect(target.seen).toEqual([]);
  });

  test('from http to https: followed', async () => {
    await using target = await serve((_request, response) => response.end('safe'), tls);
    await using server = await serve(redirectTo(target.origin));
    expect(await get(server.origin, { SSL_CERT_FILE: certPath })).toMatchObject({ text: 'safe' });
  });

  test('to something else: refused', async () => {
    await using server = await serve(redirectTo('file:///etc/passwd'));
    await expect(get(server.origin)).rejects.toThrow('“file:///etc/passwd” is not an http or https URL');
  });
});

describe('certificates', () => {
  test('one that nobody vouches for is refused, and not worth another try', async () => {
    await using server = await serve((_request, response) => response.end(), tls);
    const error = await get(server.origin).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(HttpError);
    expect(error).not.toBeInstanceOf(HttpConnectionError);
    expect(error).toMatchObject({
      message: `127.0.0.1:${server.port} shows a certificate that is not trusted: self-signed certificate`,
      hint: expect.stringContaining('SSL_CERT_FILE'),
    });
    expect(server.seen).toEqual([]);
  });

  test('SSL_CERT_FILE makes it trusted', async () => {
    await using server = await serve((_request, response) => response.end('trusted'), tls);
    expect(await get(server.origin, { SSL_CERT_FILE: certPath })).toMatchObject({ text: 'trusted' });
    expect(await get(`https://localhost:${server.port}`, { SSL_CERT_FILE: certPath })).toMatchObject({
      text: 'trusted',
    });
  });

  test('SSL_CERT_FILE that is not there', async () => {
    await expect(openHttpClient({ env: { SSL_CERT_FILE: join(dir, 'none.pem') } })).rejects.toMatchObject({
      message: `cannot read the certificates in ${join(dir, 'none.pem')}`,
      hint: 'SSL_CERT_FILE names that file',
    });
  });
});

describe('no answer', () => {
  test('nobody listens', async () => {
    const port = await unusedPort();
    const error = await get(`http://127.0.0.1:${port}/`).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(HttpConnectionError);
    expect((error as VmError).message).toBe(`no answer from 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`);
  });

  test('the connection breaks before the head is whole', async () => {
    await using server = await serve((request) => request.socket.end('HTTP/1.1 200 OK\r\ncontent-le'));
    await expect(get(server.origin)).rejects.toBeInstanceOf(HttpConnectionError);
  });

  test('the connection breaks in the body', async () => {
    await using server = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': 10 });
      sendAndCut(response, Buffer.from('half'));
    });
    await using client = await openHttpClient({ env: {} });
    const response = await client.request({ url: server.origin, signal });
    let received = '';
    const reading = async () => {
      for await (const chunk of readBody(response, { url: server.origin, signal })) received += chunk;
    };
    await expect(reading()).rejects.toBeInstanceOf(HttpConnectionError);
    expect(received).toBe('half');
  });

  test('not a URL', async () => {
    await expect(get('ftp://a.test/x')).rejects.toThrow('“ftp://a.test/x” is not an http or https URL');
    await expect(get('x.qcow2')).rejects.toBeInstanceOf(HttpError);
  });
});

describe('interrupted', () => {
  test('before the answer', async () => {
    const controller = new AbortController();
    await using server = await serve(() => controller.abort());
    await expect(get(server.origin, {}, { signal: controller.signal })).rejects.toBeInstanceOf(InterruptedError);
  });

  test('in the body', async () => {
    const controller = new AbortController();
    await using server = await serve((_request, response) => void response.write('beginning'));
    await using client = await openHttpClient({ env: {} });
    const request = { url: server.origin, signal: controller.signal };
    const response = await client.request(request);
    const reading = async () => {
      for await (const _chunk of readBody(response, request)) controller.abort();
    };
    await expect(reading()).rejects.toBeInstanceOf(InterruptedError);
  });

  test('a client that is closed ends responses that nobody reads', async () => {
    let ended: Promise<void> | undefined;
    await using server = await serve((_request, response) => {
      ended = new Promise((resolve) => response.once('close', resolve));
      response.write('beginning');
    });
    const client = await openHttpClient({ env: {} });
    const { status } = await client.request({ url: server.origin, signal });
    expect(status).toBe(200);
    await client[Symbol.asyncDispose]();
    await ended;
  });
});

test('SSL_CERT_FILE that holds no certificate: nothing more is trusted, and nothing breaks', async () => {
  const emptyPath = join(dir, 'empty.pem');
  await writeFile(emptyPath, 'no certificate\n');
  await using server = await serve((_request, response) => response.end(), tls);
  await expect(get(server.origin, { SSL_CERT_FILE: emptyPath })).rejects.toBeInstanceOf(HttpError);
});
