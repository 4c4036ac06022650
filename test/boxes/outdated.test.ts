import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BOX_METADATA, diskBytes, type Imports, openImports } from '../support/box-imports.ts';
import { startRegistry } from '../support/docker-registry.ts';
import { digest } from '../support/downloads.ts';
import { storeFakeBox } from '../support/fake-box.ts';
import { type LocalServer, serve } from '../support/local-server.ts';
import { type CatalogImage, writeOwnCatalog } from '../support/own-catalog.ts';

interface File {
  readonly content: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

const [OLD, NEW] = [diskBytes(40), diskBytes(41)] as const;
const versionOf = (content: Buffer) => digest('sha256', content).slice(0, 12);

let server: LocalServer;
/** By their paths on the server. */
const files = new Map<string, File>();
let imports: Imports;

beforeAll(async () => {
  server = await serve((request, response) => {
    const file = files.get(request.url ?? '');
    response.writeHead(file === undefined ? 404 : 200, file?.headers);
    response.end(request.method === 'HEAD' ? undefined : file?.content);
  });
});

beforeEach(async () => {
  imports = await openImports({ VAGRANT_SERVER_URL: server.origin });
  files.clear();
});

afterEach(() => imports[Symbol.asyncDispose]());

afterAll(() => server[Symbol.asyncDispose]());

const at = (path: string) => `${server.origin}${path}`;
const machinefile = (box: string) => imports.project.write('Machinefile', `machines: { m: { box: ${box} } }\n`);
const own = (images: Readonly<Record<string, CatalogImage>>) => writeOwnCatalog(imports.homeDir, images);

interface State {
  readonly box: string;
  readonly current: string | null;
  readonly available: string | null;
  readonly newest: string | null;
  readonly outdated: boolean | null;
  readonly reason: string | null;
}

/** What is told of the only box, and that nothing was downloaded or changed for it. */
async function outdated(): Promise<State> {
  const before = [await imports.kept(), await lockfile()];
  const asked = server.seen.length;
  const [state, ...others] = JSON.parse(await imports.project.ok('box', 'outdated', '--json')) as State[];
  expect(others).toEqual([]);
  if (state === undefined) throw new Error('nothing was told');
  const images = server.seen
    .slice(asked)
    .filter(({ url, method }) => /\.(raw|box)$/.test(url ?? '') && method === 'GET');
  expect(images).toEqual([]);
  expect([await imports.kept(), await lockfile()]).toEqual(before);
  return state;
}

async function lockfile(): Promise<string | undefined> {
  const path = imports.at('Machinefile.lock');
  return existsSync(path) ? readFile(path, 'utf8') : undefined;
}

const update = () => imports.project.ok('box', 'update');
const upToDate = { newest: null, outdated: false, reason: null };
const isOutdated = { newest: null, outdated: true, reason: null };
const unknown = (reason: string) => ({ newest: null, outdated: null, reason: expect.stringContaining(reason) });

describe('an image of a catalog', () => {
  const publish = (content: Buffer, algorithm: string) => {
    files.set('/disk.raw', { content });
    files.set('/list', { content: `${digest(algorithm, content)}  disk.raw\n` });
  };

  test.each([
    ['sha256', versionOf(NEW)],
    ['sha512', null],
  ])('whose list has its %s', async (algorithm, available) => {
    publish(OLD, algorithm);
    await own({ app: { url: at('/disk.raw'), checksum: at('/list') } });
    await machinefile('app');
    await update();
    const [box, current] = ['app', versionOf(OLD)];
    expect(await outdated()).toEqual({ box, current, available: current, ...upToDate });
    publish(NEW, algorithm);
    expect(await outdated()).toEqual({ box, current, available, ...isOutdated });
    expect(await imports.project.ok('box', 'outdated')).toMatch(/^BOX +CURRENT +AVAILABLE +STATE\napp .* outdated\n$/);
    await update();
    expect(await outdated()).toMatchObject({ current: versionOf(NEW), outdated: false });
  });

  test('that was locked on another host, where only its SHA-512 is listed', async () => {
    publish(OLD, 'sha512');
    await own({ app: { url: at('/disk.raw'), checksum: at('/list') } });
    await machinefile('app');
    await update();
    await rm(`${imports.homeDir}/imports`, { recursive: true });
    expect(await outdated()).toMatchObject({ available: null, ...unknown('its server lists only a sha512') });
    await own({ app: { url: at('/disk.raw'), checksum: at('/list'), version: '1.1.0' } });
    expect(await outdated()).toMatchObject({ available: '1.1.0', outdated: null });
  });

  test('of another version than the Machinefile allows', async () => {
    publish(OLD, 'sha256');
    await own({ app: { url: at('/disk.raw'), checksum: at('/list'), version: '1.0.0' } });
    await machinefile('"app@~> 1.0"');
    await update();
    publish(NEW, 'sha256');
    await own({ app: { url: at('/disk.raw'), checksum: at('/list'), version: '2.0.0' } });
    const state = { box: 'app@~> 1.0', current: '1.0.0', available: '1.0.0', newest: '2.0.0' };
    expect(await outdated()).toEqual({ ...state, outdated: false, reason: null });
    expect(await imports.project.ok('box', 'outdated')).toContain(
      'up to date; there is 2.0.0, which the Machinefile does not allow\n',
    );
  });
});

describe('a file at an address', () => {
  const current = versionOf(OLD);

  test('with a list of checksums', async () => {
    files.set('/disk.raw', { content: OLD });
    files.set('/list', { content: `${digest('sha256', OLD)}  disk.raw\n` });
    await machinefile(`{ url: "${at('/disk.raw')}", checksum: "${at('/list')}" }`);
    await update();
    expect(await outdated()).toMatchObject({ current, available: current, ...upToDate });
    files.set('/list', { content: `${digest('sha256', NEW)}  disk.raw\n` });
    expect(await outdated()).toMatchObject({ current, available: versionOf(NEW), ...isOutdated });
  });

  test('with a checksum that is another than what is locked', async () => {
    files.set('/disk.raw', { content: OLD });
    await machinefile(at('/disk.raw'));
    await update();
    await machinefile(`{ url: "${at('/disk.raw')}", checksum: "sha256:${digest('sha256', NEW)}" }`);
    expect(await outdated()).toMatchObject({ current, available: versionOf(NEW), ...isOutdated });
  });

  test.each([
    ['ETag', { etag: '"1"' }, { etag: '"2"' }],
    [
      'date',
      { 'last-modified': 'Sun, 22 Nov 2026 00:00:00 GMT' },
      { 'last-modified': 'Mon, 23 Nov 2026 00:00:00 GMT' },
    ],
  ])('whose server tells its %s', async (_what, before, after) => {
    files.set('/disk.raw', { content: OLD, headers: before });
    await machinefile(at('/disk.raw'));
    await update();
    expect(await outdated()).toMatchObject({ current, available: current, ...upToDate });
    files.set('/disk.raw', { content: NEW, headers: after });
    expect(await outdated()).toMatchObject({ current, available: null, ...isOutdated });
  });

  test('whose server tells nothing', async () => {
    files.set('/disk.raw', { content: OLD });
    await machinefile(at('/disk.raw'));
    expect(await outdated()).toMatchObject({ current: null, available: null, ...unknown('neither locked nor here') });
    await update();
    expect(await outdated()).toMatchObject({ current, available: null, ...unknown('it has no checksum') });
    expect(await imports.project.ok('box', 'outdated')).toContain(' unknown: it has no checksum, ');
  });
});

describe('a box of a Vagrant catalog', () => {
  const list = (...versions: string[]) =>
    JSON.stringify({
      name: 'org/app',
      versions: versions.map((version) => ({ version, providers: [{ name: 'libvirt', url: at('/app.box') }] })),
    });

  beforeEach(async () => {
    await imports.makeBox('app.box', { 'metadata.json': BOX_METADATA });
    files.set('/app.box', { content: await readFile(imports.at('app.box')) });
  });

  test.each([
    ['at an address', '/catalog.json'],
    ['of the server', '/api/v2/vagrant/org/app'],
    ['of an older server', '/org/app'],
  ])('%s', async (_what, path) => {
    const wanted = path === '/catalog.json' ? `{ url: "${at(path)}", version: "~> 1.0" }` : '"org/app@~> 1.0"';
    files.set(path, { content: list('1.0.0') });
    await machinefile(wanted);
    await update();
    expect(await outdated()).toMatchObject({ current: '1.0.0', available: '1.0.0', ...upToDate });
    files.set(path, { content: list('1.0.0', '1.1.0', '2.0.0') });
    const state = { current: '1.0.0', available: '1.1.0', newest: '2.0.0' };
    expect(await outdated()).toMatchObject({ ...state, outdated: true, reason: null });
  });

  test('in a file', async () => {
    await writeFile(imports.at('catalog.json'), list('1.0.0'));
    await machinefile('./catalog.json');
    await update();
    await writeFile(imports.at('catalog.json'), list('1.0.0', '1.1.0'));
    expect(await outdated()).toMatchObject({ current: '1.0.0', available: '1.1.0', ...isOutdated });
  });
});

test('a file of this host', async () => {
  const before = versionOf(await readFile(imports.at('disk.raw')));
  await machinefile('./disk.raw');
  await update();
  expect(await outdated()).toEqual({ box: './disk.raw', current: before, available: before, ...upToDate });
  await writeFile(imports.at('disk.raw'), NEW);
  expect(await outdated()).toMatchObject({ current: before, available: versionOf(NEW), ...isOutdated });
});

test('a recipe', async () => {
  await storeFakeBox(imports.homeDir, 'tiny');
  await machinefile('tiny');
  expect(await outdated()).toMatchObject({ current: '1.0.0', available: '1.0.0', ...upToDate });
  const locked = { version: '0.9.0', source: 'built from the recipe tiny', sha256: '0a'.repeat(32) };
  await writeFile(imports.at('Machinefile.lock'), JSON.stringify({ lockfile: 1, boxes: { tiny: locked } }));
  expect(await outdated()).toEqual({ box: 'tiny', current: '0.9.0', available: '1.0.0', ...isOutdated });
});

test('a box that was added by hand', async () => {
  await imports.add('disk.raw', '--name', 'mine', '--version', '1.0.0');
  await machinefile('mine');
  await update();
  expect(await outdated()).toMatchObject({ current: '1.0.0', available: '1.0.0', ...upToDate });
  await writeFile(imports.at('disk.raw'), NEW);
  await imports.add('disk.raw', '--name', 'mine', '--version', '1.1.0');
  expect(await outdated()).toMatchObject({ current: '1.0.0', available: '1.1.0', ...isOutdated });
  await imports.project.ok('box', 'prune', '--all', '--yes');
  expect(await outdated()).toMatchObject({ current: '1.0.0', available: null, ...unknown('on another host') });
});

test('a tag in a registry', async () => {
  await using registry = await startRegistry();
  const { project, add, at: inProject } = imports;
  const url = `oci://${registry.name}/team/app:1`;
  await project.ok('box', 'push', (await add('disk.raw')).key, url);
  await machinefile(url);
  await update();
  expect(await outdated()).toEqual({ box: url, current: '1', available: '1', ...upToDate });
  await writeFile(inProject('disk.raw'), NEW);
  await project.ok('box', 'push', (await add('disk.raw')).key, url);
  expect(await outdated()).toMatchObject({ box: url, current: '1', available: '1', ...isOutdated });
  await machinefile(`oci://${registry.name}/team/gone:1`);
  expect(await outdated()).toMatchObject({ current: null, ...unknown('neither locked nor here') });
});

test('only the boxes that are named', async () => {
  await imports.project.write('Machinefile', 'machines: { a: { box: ./disk.raw }, b: { box: tiny } }\n');
  await imports.project.ok('box', 'update', './disk.raw');
  const boxesOf = async (...args: string[]) =>
    (JSON.parse(await imports.project.ok('box', 'outdated', '--json', ...args)) as State[]).map(({ box }) => box);
  expect(await boxesOf('./disk.raw')).toEqual(['./disk.raw']);
  expect(await boxesOf()).toEqual(['./disk.raw', 'tiny']);
  expect(await imports.project.fails(2, 'box', 'outdated', 'other')).toContain(
    'vm: the Machinefile asks for no box other\n→ its boxes: ./disk.raw, tiny\n',
  );
});

test('a server that does not answer is an error, not an answer', async () => {
  files.set('/disk.raw', { content: OLD });
  files.set('/list', { content: `${digest('sha256', OLD)}  disk.raw\n` });
  await machinefile(`{ url: "${at('/disk.raw')}", checksum: "${at('/list')}" }`);
  await update();
  files.delete('/list');
  expect(await imports.project.fails(1, 'box', 'outdated')).toContain('/list: HTTP 404 Not Found\n');
});
