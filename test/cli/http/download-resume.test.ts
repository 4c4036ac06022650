import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { digest, openDownloads, SOON } from '../../support/downloads.ts';
import { fileListener, type ServedFile, serveFile } from '../../support/file-server.ts';
import { type LocalServer, sendAndCut, serve } from '../../support/local-server.ts';
import { rootDir } from '../../support/paths.ts';

const KIB = 1024;
const content = randomBytes(512 * KIB);
const checksum = { algorithm: 'sha512', hex: digest('sha512', content) } as const;
const DATE = 'Wed, 21 Oct 2015 07:28:00 GMT';

function rangesAskedFor(server: LocalServer): (string | undefined)[] {
  return server.seen.map(({ headers }) => headers.range);
}

/** A process of its own that downloads. */
async function startDownloader(url: string, dir: string) {
  const program = `
    import { openHttpClient } from './src/http/http-client.ts';
    import { download } from './src/http/download.ts';
    const [url, dir] = process.argv.slice(2);
    const context = { reporter: { report() {} }, signal: new AbortController().signal };
    openHttpClient({ env: {} }).then((client) => download({ urls: [url], dir, subject: 'm' }, { client, context }));
  `;
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: rootDir, loader: 'ts' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    write: false,
  });
  const child = spawn(process.execPath, ['-', url, dir], { stdio: ['pipe', 'inherit', 'inherit'] });
  child.stdin?.end(outputFiles[0]?.text);
  const kill = () => child.kill('SIGKILL');
  return { pid: child.pid, kill, [Symbol.dispose]: kill };
}

describe('a connection that breaks', () => {
  test.each([
    ['ETag', { etag: '"1"' }, '"1"'],
    ['date', { lastModified: DATE }, DATE],
    ['date, the ETag being weak', { etag: 'W/"1"', lastModified: DATE }, DATE],
  ])('goes on where it broke, by %s', async (_what, identity, ifRange) => {
    await using downloads = await openDownloads();
    await using server = await serveFile({ content, ...identity, cuts: [100 * KIB, 200 * KIB] });
    await downloads.expectFile(await downloads.get(server.origin, { checksum }), content);
    expect(rangesAskedFor(server)).toEqual([undefined, `bytes=${100 * KIB}-`, `bytes=${300 * KIB}-`]);
    expect(server.seen.map(({ headers }) => headers['if-range'])).toEqual([undefined, ifRange, ifRange]);
    const reason = `the answer of 127.0.0.1:${server.port} broke off: other side closed`;
    expect(downloads.texts).toContain(`progress m: ${reason}: trying again in 1 s`);
  });

  test('starts over where nothing tells whether the rest still belongs to it', async () => {
    await using downloads = await openDownloads();
    await using server = await serveFile({ content, etag: 'W/"1"', cuts: [100 * KIB] });
    await downloads.expectFile(await downloads.get(server.origin), content);
    expect(rangesAskedFor(server)).toEqual([undefined, undefined]);
  });

  test('in a body of unknown length', async () => {
    await using downloads = await openDownloads();
    const cuts = [KIB];
    await using server = await serve((_request, response) => {
      const cut = cuts.shift();
      if (cut === undefined) response.end(content);
      else sendAndCut(response, content.subarray(0, cut));
    });
    await downloads.expectFile(await downloads.get(server.origin), content);
    expect(server.seen).toHaveLength(2);
  });

  test('any number of times, as long as it gets ahead', async () => {
    await using downloads = await openDownloads();
    await using server = await serveFile({ content, etag: '"1"', cuts: Array(15).fill(32 * KIB) });
    await downloads.expectFile(await downloads.get(server.origin), content);
    expect(server.seen).toHaveLength(16);
  });

  test('always at the same places, from a server that cannot resume: given up', async () => {
    await using downloads = await openDownloads();
    const cuts = Array.from({ length: 99 }, (_, index) => (1 + (index % 2)) * KIB);
    await using server = await serveFile({ content, etag: '"1"', ignoresRanges: true, cuts });
    await expect(downloads.get(server.origin)).rejects.toThrow('other side closed');
    expect(server.seen).toHaveLength(7);
  });
});

describe('an interrupted download', () => {
  test('is taken up by the next call', async () => {
    await using downloads = await openDownloads();
    await using server = await serveFile({ content, etag: '"1"', stalls: [100 * KIB] });
    await downloads.interruptAt(100 * KIB, server.origin);
    const name = digest('sha256', server.origin);
    expect((await readdir(downloads.dir)).sort()).toEqual([`${name}.part`, `${name}.part.json`]);
    expect(JSON.parse(await readFile(`${downloads.partPath(server.origin)}.json`, 'utf8'))).toEqual({
      format: 1,
      urlSha256: name,
      lengthBytes: content.length,
      validator: { header: 'etag', value: '"1"' },
    });

    await downloads.expectFile(await downloads.get(server.origin, { checksum }), content);
    expect(rangesAskedFor(server)).toEqual([undefined, `bytes=${100 * KIB}-`]);
    expect(downloads.texts).toContain('progress m: reading the 100 KiB that are already here');
    expect(downloads.texts).toContain('progress m: 100 KiB of 512 KiB (20 %)');
  });

  test('that was killed frees the one who waits for it, which goes on from there', async () => {
    await using downloads = await openDownloads();
    await using server = await serveFile({ content, etag: '"1"', stalls: [100 * KIB] });
    using child = await startDownloader(server.origin, downloads.dir);
    await expect.poll(() => downloads.partSize(server.origin), SOON).toBe(100 * KIB);
    const waiting = downloads.get(server.origin, { checksum });
    const text = `progress m: process ${child.pid} is downloading this: waiting for it`;
    await expect.poll(() => downloads.texts, SOON).toContain(text);
    child.kill();
    await downloads.expectFile(await waiting, content);
    expect(rangesAskedFor(server)).toEqual([undefined, `bytes=${100 * KIB}-`]);
  });

  test('goes on at the address it is from, although that is not the first', async () => {
    await using downloads = await openDownloads();
    const first = { content, etag: '"1"', statuses: [404] };
    await using firstServer = await serveFile(first);
    await using second = await serveFile({ content, etag: '"1"', stalls: [100 * KIB] });
    const urls = [firstServer.origin, second.origin] as const;
    await downloads.interruptAt(100 * KIB, urls[0], { urls });
    await downloads.expectFile(await downloads.get(urls[0], { urls }), content);
    expect(firstServer.seen).toHaveLength(1);
    expect(rangesAskedFor(second)).toEqual([undefined, `bytes=${100 * KIB}-`]);
  });

  test('starts over at another address, as that may have another file', async () => {
    await using downloads = await openDownloads();
    await using first = await serveFile({ content, etag: '"1"', statuses: [404] });
    await using second = await serveFile({ content, etag: '"1"', stalls: [100 * KIB], statuses: [200, 404] });
    const urls = [first.origin, second.origin] as const;
    await downloads.interruptAt(100 * KIB, urls[0], { urls });
    await downloads.expectFile(await downloads.get(urls[0], { urls }), content);
    expect(rangesAskedFor(first)).toEqual([undefined, undefined]);
    expect(rangesAskedFor(second)).toEqual([undefined, `bytes=${100 * KIB}-`]);
  });

  test('of which nothing says where it is from starts over', async () => {
    await using downloads = await openDownloads();
    await using server = await serveFile({ content, etag: '"1"', stalls: [100 * KIB] });
    await downloads.interruptAt(100 * KIB, server.origin);
    await rm(`${downloads.partPath(server.origin)}.json`);
    await downloads.expectFile(await downloads.get(server.origin), content);
    expect(rangesAskedFor(server)).toEqual([undefined, undefined]);
  });

  test('of a format to come starts over', async () => {
    await using downloads = await openDownloads();
    await using server = await serveFile({ content, etag: '"1"', stalls: [100 * KIB] });
    await downloads.interruptAt(100 * KIB, server.origin);
    const originPath = `${downloads.partPath(server.origin)}.json`;
    const origin = JSON.parse(await readFile(originPath, 'utf8'));
    await writeFile(originPath, JSON.stringify({ ...origin, format: 2 }));
    await downloads.expectFile(await downloads.get(server.origin), content);
    expect(rangesAskedFor(server)).toEqual([undefined, undefined]);
  });
});

describe('a part that does not fit any more', () => {
  const changed = randomBytes(300 * KIB);
  const otherContent = randomBytes(512 * KIB);

  /** Gets 100 KiB of `content`, and the rest from a server that answers the second and later requests as given. */
  async function resumeWith(answer: RequestListener) {
    const downloads = await openDownloads();
    const listeners = [fileListener({ content, etag: '"1"', stalls: [100 * KIB] })];
    const server = await serve((request, response) => (listeners.shift() ?? answer)(request, response));
    await downloads.interruptAt(100 * KIB, server.origin);
    const file = await downloads.get(server.origin);
    return {
      downloads,
      file,
      ranges: rangesAskedFor(server),
      async [Symbol.asyncDispose]() {
        await server[Symbol.asyncDispose]();
        await downloads[Symbol.asyncDispose]();
      },
    };
  }

  /** Answers a request for a range in its own way, and others with the file. */
  function rangeAnswer(file: ServedFile, status: number, headers: Record<string, string>): RequestListener {
    return (request, response) => {
      if (request.headers.range === undefined) fileListener(file)(request, response);
      else response.writeHead(status, headers).end(file.content.subarray(100 * KIB));
    };
  }

  const otherRest = `bytes ${100 * KIB}-${512 * KIB - 1}/${512 * KIB}`;
  const rest = `bytes ${100 * KIB}-${300 * KIB - 1}/${300 * KIB}`;
  const all: RequestListener = (request, response) => {
    delete request.headers['if-range'];
    fileListener({ content: changed, etag: '"2"', ignoresRanges: true })(request, response);
  };

  test.each<[string, RequestListener, number, Buffer?]>([
    ['the file changed', fileListener({ content: changed, etag: '"2"' }), 2],
    ['the server does not know ranges', all, 2],
    ['416', rangeAnswer({ content: changed, etag: '"2"' }, 416, { 'content-range': `bytes */${300 * KIB}` }), 3],
    [
      'If-Range is not known: another ETag',
      rangeAnswer({ content: otherContent, etag: '"2"' }, 206, { etag: '"2"', 'content-range': otherRest }),
      3,
      otherContent,
    ],
    ['If-Range is not known: another length', rangeAnswer({ content: changed }, 206, { 'content-range': rest }), 3],
    [
      'If-Range is not known: no length',
      rangeAnswer({ content: changed }, 206, { 'content-range': rest.replace(/\d+$/, '*') }),
      3,
    ],
    [
      'another range',
      rangeAnswer({ content: changed }, 206, { etag: '"1"', 'content-range': `bytes 0-9/${512 * KIB}` }),
      3,
    ],
    ['a range that is not told', rangeAnswer({ content: changed }, 206, { etag: '"1"' }), 3],
  ])('%s: starts over', async (_what, answer, requests, wanted = changed) => {
    await using resumed = await resumeWith(answer);
    await resumed.downloads.expectFile(resumed.file, wanted);
    expect(resumed.ranges).toEqual([undefined, `bytes=${100 * KIB}-`, undefined].slice(0, requests));
  });

  test('a range that is shorter than asked for: the rest is asked for, too', async () => {
    await using resumed = await resumeWith((request, response) => {
      const from = Number(/\d+/.exec(request.headers.range ?? '')?.[0]);
      const to = Math.min(from + 200 * KIB, content.length);
      response.writeHead(206, { 'content-range': `bytes ${from}-${to - 1}/${content.length}`, etag: '"1"' });
      response.end(content.subarray(from, to));
    });
    await resumed.downloads.expectFile(resumed.file, content);
    expect(resumed.ranges).toEqual([undefined, ...[100, 300, 500].map((kib) => `bytes=${kib * KIB}-`)]);
    expect(resumed.downloads.texts.join('\n')).toContain('ended the connection after 300 KiB of 512 KiB');
  });
});
