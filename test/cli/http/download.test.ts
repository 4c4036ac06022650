import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { InterruptedError, VmError } from '../../../src/errors.ts';
import { digest, openDownloads, SOON } from '../../support/downloads.ts';
import { type ServedFile, serveFile } from '../../support/file-server.ts';
import { serve, serveStatus, unusedPort } from '../../support/local-server.ts';
import { mountTmpfs } from '../../support/tmpfs.ts';

const KIB = 1024;
const content = randomBytes(512 * KIB);

describe('a file', () => {
  test('whole, verified, named by its URL', async () => {
    await using downloads = await openDownloads();
    await using server = await serveFile({ content, etag: '"1"' });
    const url = `${server.origin}/disk.qcow2`;
    const checksum = { algorithm: 'sha512', hex: digest('sha512', content) } as const;
    const file = await downloads.get(url, { checksum, headers: { authorization: 'Bearer token' } });
    await downloads.expectFile(file, content);
    expect(file.path).toBe(join(downloads.dir, digest('sha256', url)));
    expect(server.seen).toMatchObject([
      { method: 'GET', url: '/disk.qcow2', headers: { authorization: 'Bearer token', 'accept-encoding': 'identity' } },
    ]);
    expect(downloads.texts[0]).toBe('progress m: 0 B of 512 KiB (0 %)');
  });

  test.each(['md5', 'sha1', 'sha256', 'sha384', 'sha512'] as const)('verified with %s', async (algorithm) => {
    await using downloads = await openDownloads();
    await using server = await serveFile({ content });
    const checksum = { algorithm, hex: digest(algorithm, content) };
    await downloads.expectFile(await downloads.get(server.origin, { checksum }), content);
  });

  test('of a length that is not told', async () => {
    await using downloads = await openDownloads();
    await using server = await serve((_request, response) => {
      response.write(content.subarray(0, 10));
      response.end(content.subarray(10));
    });
    await downloads.expectFile(await downloads.get(server.origin), content);
    expect(downloads.texts[0]).toBe('progress m: 0 B');
  });

  test('that is empty', async () => {
    await using downloads = await openDownloads();
    await using server = await serveFile({ content: Buffer.alloc(0) });
    await downloads.expectFile(await downloads.get(server.origin), Buffer.alloc(0));
  });

  test('that a killed process got but did not take: verified, and not asked for again', async () => {
    await using downloads = await openDownloads();
    await using server = await serveFile({ content });
    const checksum = { algorithm: 'sha256', hex: digest('sha256', content) } as const;
    await downloads.get(server.origin, { checksum });
    await downloads.expectFile(await downloads.get(server.origin, { checksum }), content);
    expect(server.seen).toHaveLength(1);
  });

  test('that is there but not what is wanted, or of unknown age: asked for again', async () => {
    await using downloads = await openDownloads();
    const file: ServedFile = { content: randomBytes(9) };
    await using server = await serveFile(file);
    await downloads.get(server.origin);
    file.content = content;
    const checksum = { algorithm: 'sha1', hex: digest('sha1', content) } as const;
    await downloads.expectFile(await downloads.get(server.origin, { checksum }), content);
    await downloads.expectFile(await downloads.get(server.origin), content);
    expect(server.seen).toHaveLength(3);
  });
});

describe('a server that is not ready', () => {
  test.each([408, 429, 500, 502, 503])('%i: asked again until it is', async (status) => {
    await using downloads = await openDownloads();
    await using server = await serveFile({ content, statuses: [status, status, status, status] });
    await downloads.expectFile(await downloads.get(server.origin), content);
    expect(server.seen).toHaveLength(5);
    expect(downloads.texts[0]).toMatch(new RegExp(`^progress m: HTTP ${status} .*: trying again in 1 s$`));
  });

  test('the fifth time in a row it is given up, and what came is kept', async () => {
    await using downloads = await openDownloads();
    await using server = await serveFile({
      content,
      etag: '"1"',
      cuts: [KIB],
      statuses: [200, 503, 503, 503, 503, 503],
    });
    await expect(downloads.get(server.origin)).rejects.toMatchObject({
      message: `cannot download ${server.origin}/: HTTP 503 Service Unavailable`,
      hint: 'try again later',
    });
    expect(server.seen).toHaveLength(6);
    expect(await downloads.partSize(server.origin)).toBe(KIB);
    await downloads.expectFile(await downloads.get(server.origin), content);
  });

  test('Retry-After is obeyed', async () => {
    await using downloads = await openDownloads();
    await using server = await serveFile({ content, statuses: [429], retryAfter: '0' });
    const file = await downloads.get(server.origin, { retryBaseDelayMs: 3_600_000 });
    await downloads.expectFile(file, content);
    expect(downloads.texts[0]).toBe('progress m: HTTP 429 Too Many Requests: trying again in 0 s');
  });

  test('Ctrl-C ends the pause', async () => {
    await using downloads = await openDownloads();
    await using server = await serveStatus(503);
    const controller = new AbortController();
    const waiting = downloads.get(server.origin, { signal: controller.signal, retryBaseDelayMs: 3_600_000 });
    await expect.poll(() => downloads.texts, SOON).toHaveLength(1);
    controller.abort();
    await expect(waiting).rejects.toBeInstanceOf(InterruptedError);
    expect(await readdir(downloads.dir)).toEqual([]);
  });
});

describe('several addresses', () => {
  test('what the server calls the file is told of the first only', async () => {
    await using downloads = await openDownloads();
    await using server = await serveFile({ content, etag: '"1"' });
    await using empty = await serveStatus(404);
    const own = await downloads.get(`${server.origin}/own`);
    expect(own.validator).toEqual({ header: 'etag', value: '"1"' });
    const urls = [`${empty.origin}/other`, `${server.origin}/other`];
    expect(await downloads.get(`${empty.origin}/other`, { urls })).toMatchObject({ validator: undefined });
  });

  test('one that does not have it: the next is asked at once', async () => {
    await using downloads = await openDownloads();
    await using without = await serveStatus(404);
    await using server = await serveFile({ content });
    const urls = [`${without.origin}/f`, `${server.origin}/f`] as const;
    const file = await downloads.get(urls[0], { urls });
    await downloads.expectFile(file, content);
    expect(file.path).toBe(join(downloads.dir, digest('sha256', urls[0])));
    expect(without.seen).toHaveLength(1);
  });

  test('none has it: each is named with its reason, without its secrets', async () => {
    await using downloads = await openDownloads();
    await using without = await serveStatus(404);
    await using closed = await serveStatus(403);
    const port = await unusedPort();
    const urls = [
      `${without.origin}/f?token=secret`,
      'nonsense',
      `${closed.origin}/f`,
      `http://127.0.0.1:${port}/f`,
    ] as const;
    const error = await downloads.get(urls[0], { urls }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(VmError);
    expect(error).toMatchObject({
      message: [
        'cannot download from any of 4 addresses:',
        `  ${without.origin}/f?…: HTTP 404 Not Found`,
        '  nonsense: “nonsense” is not an http or https URL',
        `  ${closed.origin}/f: HTTP 403 Forbidden`,
        `  http://127.0.0.1:${port}/f: no answer from 127.0.0.1:${port}: connect ECONNREFUSED 127.0.0.1:${port}`,
      ].join('\n'),
      hint: 'check the addresses, and the network',
    });
    expect(await readdir(downloads.dir)).toEqual([]);
  });

  test('one, and it does not have it', async () => {
    await using downloads = await openDownloads();
    await using server = await serveStatus(404);
    await expect(downloads.get(`${server.origin}/f`)).rejects.toMatchObject({
      message: `cannot download ${server.origin}/f: HTTP 404 Not Found`,
      hint: 'check the address',
    });
  });

  test.each([204, 206, 304])('an answer that is no file: %i', async (status) => {
    await using downloads = await openDownloads();
    await using server = await serveStatus(status);
    await expect(downloads.get(server.origin)).rejects.toThrow(`HTTP ${status}`);
    expect(server.seen).toHaveLength(1);
  });
});

test('a wrong checksum: both are told, no other address is asked, nothing is left', async () => {
  await using downloads = await openDownloads();
  await using server = await serveFile({ content, etag: '"1"' });
  await using other = await serveFile({ content });
  const [expected, received] = ['another', content].map((data) => digest('sha512', data));
  const checksum = { algorithm: 'sha512', hex: String(expected) } as const;
  const url = `${server.origin}/f?token=secret`;
  await expect(downloads.get(url, { urls: [url, other.origin], checksum })).rejects.toMatchObject({
    message: `${server.origin}/f?… is not what its checksum says:\n  expected sha512:${expected}\n  received sha512:${received}`,
    hint: expect.stringContaining('compare the checksum'),
  });
  expect(server.seen).toHaveLength(1);
  expect(other.seen).toEqual([]);
  expect(await readdir(downloads.dir)).toEqual([]);
});

describe('two that want the same', () => {
  /** The first has asked the server, which does not answer yet, and the second waits. */
  async function startTwo() {
    const downloads = await openDownloads();
    const responses: ServerResponse[] = [];
    const server = await serve((_request, response) => void responses.push(response));
    const first = downloads.get(server.origin);
    await expect.poll(() => responses, SOON).toHaveLength(1);
    const second = downloads.get(server.origin);
    const waiting = `progress m: process ${process.pid} is downloading this: waiting for it`;
    await expect.poll(() => downloads.texts, SOON).toEqual([waiting]);
    return {
      downloads,
      first,
      second,
      responses,
      async [Symbol.asyncDispose]() {
        await server[Symbol.asyncDispose]();
        await downloads[Symbol.asyncDispose]();
      },
    };
  }

  test('one downloads, the other says whom it waits for and gets the same', async () => {
    await using two = await startTwo();
    two.responses[0]?.end(content);
    for (const file of await Promise.all([two.first, two.second])) await two.downloads.expectFile(file, content);
    expect(two.responses).toHaveLength(1);
  });

  test('the first fails: the other downloads', async () => {
    await using two = await startTwo();
    two.responses[0]?.writeHead(404).end();
    await expect(two.first).rejects.toThrow('404');
    await expect.poll(() => two.responses, SOON).toHaveLength(2);
    two.responses[1]?.end(content);
    await two.downloads.expectFile(await two.second, content);
  });
});

test.runIf(process.getuid?.() === 0)('a full disk: said so, and taken up where there is room', async () => {
  await using small = await mountTmpfs('256k');
  await using downloads = await openDownloads(small.dir);
  await using server = await serveFile({ content, etag: '"1"' });
  await expect(downloads.get(server.origin)).rejects.toMatchObject({
    message: `cannot write ${downloads.partPath(server.origin)}: the disk is full`,
    hint: expect.stringContaining('free some space'),
  });
  const name = digest('sha256', server.origin);
  expect((await readdir(downloads.dir)).sort()).toEqual([`${name}.part`, `${name}.part.json`]);
  const bytes = await downloads.partSize(server.origin);
  expect(bytes).toBeGreaterThan(0);

  await small.resize('2m');
  await downloads.expectFile(await downloads.get(server.origin), content);
  expect(server.seen.map(({ headers }) => headers.range)).toEqual([undefined, `bytes=${bytes}-`]);
});
