import { afterAll, describe, expect, test } from 'vitest';
import { InterruptedError } from '../../../src/errors.ts';
import { fetchText } from '../../../src/http/fetch-text.ts';
import { openHttpClient } from '../../../src/http/http-client.ts';
import { HttpConnectionError, HttpError, HttpStatusError } from '../../../src/http/http-errors.ts';
import { sendAndCut, serve, serveStatus } from '../../support/local-server.ts';

const KIB = 1024;
const client = await openHttpClient({ env: {} });
const options = { client, signal: new AbortController().signal, maxBytes: KIB };

afterAll(() => client[Symbol.asyncDispose]());

test('a document: text, type, status, headers', async () => {
  await using server = await serve((_request, response) => {
    response.writeHead(200, { 'content-type': 'Application/JSON; charset=utf-8', etag: '"1"' });
    response.write(Buffer.from([0xc3])); // half of ü
    response.end(Buffer.from([0xbc]));
  });
  const headers = { accept: 'application/json' };
  expect(await fetchText(server.origin, { ...options, headers })).toMatchObject({
    text: 'ü',
    contentType: 'application/json',
    status: 200,
    headers: { etag: '"1"' },
  });
  expect(server.seen[0]?.headers).toMatchObject({ accept: 'application/json', 'accept-encoding': 'identity' });
});

test('a document of no type', async () => {
  await using server = await serve((_request, response) => response.end('x'.repeat(KIB)));
  const document = await fetchText(server.origin, options);
  expect(document.contentType).toBeUndefined();
  expect(document.text).toHaveLength(KIB);
});

test.each([304, 401, 404, 500])('status %i', async (status) => {
  await using server = await serveStatus(status);
  const error = await fetchText(`${server.origin}/SHA256SUMS`, options).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(HttpStatusError);
  expect(error).toMatchObject({
    status,
    message: expect.stringMatching(`^${server.origin}/SHA256SUMS: HTTP ${status} `),
    hint: expect.any(String),
  });
  expect(server.seen).toHaveLength(1);
});

describe('too large', () => {
  /** A server that would send for ever, and how much it had sent when the connection was closed. */
  async function serveEndless(headers: Record<string, string>) {
    let closed: Promise<number> | undefined;
    const server = await serve((_request, response) => {
      closed = new Promise((resolve) => response.once('close', () => resolve(sentBytes)));
      let sentBytes = 0;
      const piece = Buffer.alloc(16 * KIB);
      const sendMore = () => {
        while (!response.destroyed && response.write(piece)) sentBytes += piece.length;
        response.once('drain', sendMore);
      };
      response.writeHead(200, headers);
      sendMore();
    });
    return { ...server, sentBytes: async () => closed };
  }

  test.each([
    ['as it says itself', { 'content-length': String(10 * 2 ** 30) }],
    ['as it turns out', {}],
  ])('%s: not read on', async (_what, headers) => {
    await using server = await serveEndless(headers);
    const error = await fetchText(`${server.origin}/f`, options).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(HttpError);
    expect(error).toMatchObject({ message: `${server.origin}/f is larger than 1.0 KiB` });
    expect(await server.sentBytes()).toBeLessThan(64 * 2 ** 20);
  });
});

test('the connection breaks in the middle', async () => {
  await using server = await serve((_request, response) => sendAndCut(response, Buffer.from('half')));
  await expect(fetchText(server.origin, options)).rejects.toBeInstanceOf(HttpConnectionError);
});

test('interrupted', async () => {
  const controller = new AbortController();
  await using server = await serve(() => controller.abort());
  await expect(fetchText(server.origin, { ...options, signal: controller.signal })).rejects.toBeInstanceOf(
    InterruptedError,
  );
});
