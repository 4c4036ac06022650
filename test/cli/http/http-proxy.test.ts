import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, expect, test } from 'vitest';
import { VmError } from '../../../src/errors.ts';
import { openHttpClient } from '../../../src/http/http-client.ts';
import { HttpConnectionError, HttpError } from '../../../src/http/http-errors.ts';
import type { ProxyEnvironment } from '../../../src/http/proxy.ts';
import { makeCertificate } from '../../support/certificate.ts';
import { serve, unusedPort } from '../../support/local-server.ts';

const certificate = await makeCertificate();
const { certPath, tls } = certificate;

afterAll(() => certificate[Symbol.asyncDispose]());

/** One request with a client of its own. */
async function get(url: string, env: ProxyEnvironment) {
  await using client = await openHttpClient({ env });
  const response = await client.request({ url, signal: new AbortController().signal });
  return { status: response.status, text: await text(response.body) };
}

/** Forwards requests and makes tunnels to 127.0.0.1, whatever the host's name; wants credentials where they are given. */
async function serveProxy(credentials?: string) {
  const expected = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`;
  const proxy = await serve((request, response) => {
    if (request.headers['proxy-authorization'] !== expected) return void response.writeHead(407).end('who are you?');
    const { port, pathname } = new URL(request.url ?? '');
    httpRequest({ host: '127.0.0.1', port, path: pathname, headers: request.headers }, (answer) => {
      answer.pipe(response.writeHead(answer.statusCode ?? 0, answer.headers));
    }).end();
  });
  const tunnels: string[] = [];
  const ends: Duplex[] = [];
  proxy.server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    tunnels.push(request.url ?? '');
    ends.push(socket);
    if (request.headers['proxy-authorization'] !== expected) return socket.end('HTTP/1.1 407 Who\r\n\r\n');
    const upstream: Socket = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(upstream).pipe(socket);
    });
    ends.push(upstream);
    for (const end of [socket, upstream]) end.on('error', () => {});
  });
  return {
    ...proxy,
    host: `127.0.0.1:${proxy.port}`,
    tunnels,
    async [Symbol.asyncDispose]() {
      for (const end of ends) end.destroy();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

test('a proxy: http is forwarded, and the name is for the proxy to resolve', async () => {
  await using server = await serve((_request, response) => response.end('through'));
  await using proxy = await serveProxy();
  const url = `http://intranet.invalid:${server.port}/x`;
  expect(await get(url, { http_proxy: proxy.host })).toMatchObject({ status: 200, text: 'through' });
  expect(proxy.seen).toMatchObject([{ url, headers: { host: `intranet.invalid:${server.port}` } }]);
  expect(server.seen).toMatchObject([{ url: '/x' }]);
  expect(proxy.tunnels).toEqual([]);
});

test('a proxy: https goes through a tunnel, and the certificate is checked', async () => {
  await using server = await serve((_request, response) => response.end('through'), tls);
  await using proxy = await serveProxy();
  const url = `https://localhost:${server.port}/x`;
  const env = { https_proxy: `http://${proxy.host}` };
  await expect(get(url, env)).rejects.toThrow('certificate that is not trusted');
  expect(await get(url, { ...env, SSL_CERT_FILE: certPath })).toMatchObject({ text: 'through' });
  expect(new Set(proxy.tunnels)).toEqual(new Set([`localhost:${server.port}`]));
  expect(proxy.seen).toEqual([]);
});

test('a proxy’s credentials are sent to it, and to nobody else', async () => {
  await using server = await serve((_request, response) => response.end('through'));
  await using tlsServer = await serve((_request, response) => response.end('through'), tls);
  await using proxy = await serveProxy('ann:se cret');
  const env = { all_proxy: `http://ann:se%20cret@${proxy.host}`, SSL_CERT_FILE: certPath };
  expect(await get(`http://intranet.invalid:${server.port}/`, env)).toMatchObject({ text: 'through' });
  expect(await get(`https://localhost:${tlsServer.port}/`, env)).toMatchObject({ text: 'through' });
  expect(tlsServer.seen[0]?.headers).not.toHaveProperty('proxy-authorization');
});

test.each(['http', 'https'])(
  'a proxy that refuses to pass on %s: said so, and not worth another try',
  async (scheme) => {
    await using proxy = await serveProxy('ann:secret');
    const error = await get(`${scheme}://a.invalid/`, { all_proxy: `http://${proxy.host}` }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(HttpError);
    expect(error).not.toBeInstanceOf(HttpConnectionError);
    expect((error as VmError).message).toMatch(/^no answer from a\.invalid: .*407/);
    expect((error as VmError).hint).toContain('proxy');
  },
);

test('no_proxy', async () => {
  await using server = await serve((_request, response) => response.end('direct'));
  const env = { http_proxy: `127.0.0.1:${await unusedPort()}`, no_proxy: '127.0.0.1' };
  expect(await get(server.origin, env)).toMatchObject({ text: 'direct' });
});

test('each host of a redirect has its own proxy', async () => {
  await using target = await serve((_request, response) => response.end('direct'));
  await using server = await serve((_request, response) => response.writeHead(302, { location: target.origin }).end());
  await using proxy = await serveProxy();
  const env = { http_proxy: proxy.host, no_proxy: '127.0.0.1' };
  expect(await get(`http://a.invalid:${server.port}/`, env)).toMatchObject({ text: 'direct' });
  expect(proxy.seen).toHaveLength(1);
});

test('a proxy that is not one for http', async () => {
  await expect(get('http://a.test/', { all_proxy: 'socks5://ann:secret@p.test:1080' })).rejects.toMatchObject({
    message: expect.stringMatching(/^the proxy socks5:\/\/p\.test:1080/),
    hint: expect.stringContaining('http://HOST:PORT'),
  });
  await expect(get('http://a.test/', { all_proxy: 'http://p q' })).rejects.toBeInstanceOf(VmError);
});
