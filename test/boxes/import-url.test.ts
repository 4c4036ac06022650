import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { diskBytes, type Imports, openImports } from '../support/box-imports.ts';
import { digest, SOON } from '../support/downloads.ts';
import { fileListener, type ServedFile, serveFile } from '../support/file-server.ts';
import { serve } from '../support/local-server.ts';
import { tools } from '../support/tools.ts';

let imports: Imports;

/** Of each test its own: what was imported once is not asked for again. */
let content: Buffer;
let sha256: string;
let seed = 10;

beforeAll(async () => {
  imports = await openImports();
});

beforeEach(() => {
  content = diskBytes(seed++);
  sha256 = digest('sha256', content);
});

afterEach(async () => {
  expect(await downloads()).toEqual([]);
});

afterAll(() => imports[Symbol.asyncDispose]());

const downloads = () => readdir(join(imports.homeDir, 'downloads')).catch(() => []);

async function isKept(): Promise<boolean> {
  return (await imports.list()).some(({ key }) => key === sha256);
}

describe('an image on a server', () => {
  test('becomes a box with the same disk, and is downloaded once', async () => {
    await using server = await serveFile({ content });
    const { at, run, diskOf, add, list } = imports;
    const url = `${server.origin}/images/disk%20one.raw`;
    const box = await add(url);
    expect(box).toEqual({ name: 'disk%20one.raw', version: sha256.slice(0, 12), key: sha256 });
    await run(tools.qemuImg, 'convert', '-f', 'qcow2', '-O', 'raw', diskOf(box), 'received.raw');
    expect(digest('sha256', await readFile(at('received.raw')))).toBe(sha256);
    expect(await add(url)).toEqual(box);
    expect(server.seen).toHaveLength(1);
    expect((await list()).find(({ key }) => key === sha256)).toMatchObject({ source: `downloaded from ${url}` });
  });

  test('in an address with secrets, which are not kept', async () => {
    await using server = await serveFile({ content });
    const url = `http://user:passw0rd@127.0.0.1:${server.port}/disk.raw?token=s3cret`;
    const { events, box } = await imports.addTelling(url);
    expect(box.name).toBe('disk.raw');
    expect(server.seen[0]?.url).toBe('/disk.raw?token=s3cret');
    expect(JSON.stringify([events, await imports.list()])).not.toMatch(/passw0rd|s3cret/);
    const { stdout } = await imports.run('grep', '-rlE', 'passw0rd|s3cret', imports.homeDir).catch((error) => error);
    expect(stdout).toBe('');
  });

  test('is verified by the list of checksums that lies beside it', async () => {
    const list = `${'0'.repeat(64)}  other.raw\n${sha256} *disk.raw\n`;
    await using server = await serve((request, response) => {
      response.end(request.url === '/SHA256SUMS' ? list : content);
    });
    const checksum = `${server.origin}/SHA256SUMS`;
    expect(await imports.add(`${server.origin}/disk.raw`, '--checksum', checksum)).toMatchObject({ key: sha256 });
    const wrong = await imports.project.fails(1, 'box', 'add', `${server.origin}/other.raw`, '--checksum', checksum);
    expect(wrong).toContain(`expected sha256:${'0'.repeat(64)}\n  received sha256:${sha256}`);
    const missing = await imports.project.fails(1, 'box', 'add', `${server.origin}/third.raw`, '--checksum', checksum);
    expect(missing).toContain(`${checksum} has no checksum of third.raw`);
  });

  test('that gets a name and a version', async () => {
    await using server = await serveFile({ content });
    const url = `${server.origin}/disk.raw`;
    expect(await imports.add(url, '--name', 'team/far', '--version', '1.2.0')).toMatchObject({
      name: 'team/far',
      version: '1.2.0',
    });
  });

  test.each(['sha256', 'sha512'])('that is what its %s says', async (algorithm) => {
    await using server = await serveFile({ content });
    const checksum = `${algorithm}:${digest(algorithm, content)}`;
    expect(await imports.add(`${server.origin}/disk.raw`, '--checksum', checksum)).toMatchObject({ key: sha256 });
  });

  test('that is not', async () => {
    await using server = await serveFile({ content });
    const checksum = `sha256:${'0'.repeat(64)}`;
    expect(await imports.project.fails(1, 'box', 'add', `${server.origin}/disk.raw`, '--checksum', checksum)).toContain(
      `/disk.raw is not what its checksum says:\n  expected ${checksum}\n  received sha256:${sha256}\n`,
    );
    expect(await isKept()).toBe(false);
  });

  test('that was imported from a file before', async () => {
    await using server = await serveFile({ content });
    const { at, add, list } = imports;
    await writeFile(at('local.raw'), content);
    const local = await add('local.raw');
    expect(await add(`${server.origin}/far.raw`)).toEqual(local);
    expect((await list()).filter(({ key }) => key === sha256)).toHaveLength(1);
  });
});

describe('what is no box leaves nothing', () => {
  test.each<[string, string, readonly string[], string]>([
    ['a page', '<!DOCTYPE html>\n'.repeat(100), [], '/file is not a disk image\n'],
    ['another JSON', '{ "a": 1 }', [], '/file: versions is missing\n'],
    ['a file, of which a version is wanted', 'x', ['--version', '1'], 'there is no version “1” to choose in it\n'],
  ])('%s', async (_what, text, options, says) => {
    await using server = await serveFile({ content: Buffer.from(text) });
    const before = await imports.kept();
    expect(await imports.project.fails(1, 'box', 'add', `${server.origin}/file`, ...options)).toContain(says);
    expect(await imports.kept()).toEqual(before);
  });

  test.each(['http://', 'http://a b/disk.raw', 'http://x.example:port/disk.raw'])('%s', async (url) => {
    expect(await imports.project.fails(1, 'box', 'add', '-q', url)).toBe(
      `vm: cannot download ${url}: “${url}” is not an http or https URL\n→ check the address\n`,
    );
  });
});

test('of two processes that want the same, one downloads it, and says so to the other', async () => {
  let release = () => {};
  const isReleased = new Promise<void>((resolve) => {
    release = resolve;
  });
  const file: ServedFile = { content };
  await using server = await serve(async (request, response) => {
    await isReleased;
    fileListener(file)(request, response);
  });
  const start = () => imports.project.start('box', 'add', `${server.origin}/shared.raw`);
  const first = start();
  await expect.poll(() => server.seen.length, SOON).toBe(1);
  const second = start();
  let told = '';
  second.child.stderr?.on('data', (text: string) => {
    told += text;
  });
  const waiting = `shared.raw: process ${first.child.pid} is getting this box: waiting for it\n`;
  await expect.poll(() => told, SOON).toBe(waiting);
  release();
  const stdout = `shared.raw ${sha256.slice(0, 12)} is ready (${sha256.slice(0, 12)})\n`;
  expect(await first.ended).toMatchObject({ exitCode: 0, stdout });
  expect(await second.ended).toMatchObject({ exitCode: 0, stdout, stderr: waiting });
  expect(server.seen).toHaveLength(1);
});

test('a download that was killed is taken up by the next, and nothing is left of it', async () => {
  await using server = await serveFile({ content, etag: '"1"', stalls: [1_000_000] });
  const url = `${server.origin}/stalled.raw`;
  const { child, ended } = imports.project.start('box', 'add', url);
  const partPath = join(imports.homeDir, 'downloads', `${digest('sha256', url)}.part`);
  await expect.poll(async () => (await stat(partPath).catch(() => undefined))?.size, SOON).toBe(1_000_000);
  child.kill('SIGKILL');
  await ended;
  expect(await imports.add(url)).toMatchObject({ key: sha256 });
  expect(server.seen.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=1000000-']);
});

describe('in a Machinefile', () => {
  test('the box is downloaded once, for all machines and commands', async () => {
    await using server = await serveFile({ content });
    const { project } = imports;
    await project.write('Machinefile', `defaults: { box: "${server.origin}/disk.raw" }\nmachines: { a: , b: }\n`);
    const plans = [await project.ok('up', '--dry-run'), await project.ok('up', '--dry-run', 'a')];
    for (const plan of plans) expect(plan).toContain(`/boxes/${sha256}/disk.qcow2`);
    expect(server.seen).toHaveLength(1);
    expect(await project.status('a')).toMatchObject({ state: 'not_created', box: `${server.origin}/disk.raw` });
  });

  test('its checksum is compared', async () => {
    await using server = await serveFile({ content });
    const { project } = imports;
    const machinefile = (hex: string) =>
      `machines: { a: { box: { url: "${server.origin}/disk.raw", checksum: "sha256:${hex}" } } }`;
    await project.write('Machinefile', machinefile('0'.repeat(64)));
    expect(await project.fails(1, 'up', '--dry-run')).toContain('/disk.raw is not what its checksum says:\n');
    expect(await isKept()).toBe(false);
    await project.write('Machinefile', machinefile(sha256));
    expect(await project.ok('up', '--dry-run')).toContain(`/boxes/${sha256}/disk.qcow2`);
  });
});
