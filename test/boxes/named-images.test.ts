import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { diskBytes, type Imports, openImports } from '../support/box-imports.ts';
import { makeCertificate } from '../support/certificate.ts';
import { digest } from '../support/downloads.ts';
import { storeFakeBox } from '../support/fake-box.ts';
import { type LocalServer, serve } from '../support/local-server.ts';
import { type CatalogImage, HOST_ARCH, OTHER_ARCH, writeOwnCatalog } from '../support/own-catalog.ts';
import { tools } from '../support/tools.ts';

let certificate: Awaited<ReturnType<typeof makeCertificate>>;
let server: LocalServer;
/** By their paths on the server. */
const files = new Map<string, string | Buffer>();
let imports: Imports;

beforeAll(async () => {
  certificate = await makeCertificate();
  server = await serve((request, response) => {
    const content = files.get(request.url ?? '');
    response.writeHead(content === undefined ? 404 : 200).end(content);
  }, certificate.tls);
});

beforeEach(async () => {
  imports = await openImports({ SSL_CERT_FILE: certificate.certPath });
  files.clear();
  newRequests();
});

afterEach(async () => {
  expect(await readdir(join(imports.homeDir, 'downloads')).catch(() => [])).toEqual([]);
  await imports[Symbol.asyncDispose]();
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await certificate[Symbol.asyncDispose]();
});

/** The paths that were asked for since the last call. */
let asked = 0;
function newRequests(): (string | undefined)[] {
  const urls = server.seen.slice(asked).map(({ url }) => url);
  asked = server.seen.length;
  return urls;
}

const at = (path: string) => `${server.origin}${path}`;
const own = (images: Readonly<Record<string, CatalogImage>>) => writeOwnCatalog(imports.homeDir, images);
const machinefile = (box: string) => imports.project.write('Machinefile', `machines: { m: { box: ${box} } }\n`);
const lockfile = () => readFile(imports.at('Machinefile.lock'), 'utf8');
/** Chooses the boxes as `up` does, and ends before there is a machine. */
const choose = ['up', '--dry-run'];
const sha256sums = (name: string, content: Buffer) => `${digest('sha256', content)}  ${name}\n`;

/** Puts an image on the server, with the list that has it, and names it in the user's catalog. */
async function publish(
  content: Buffer,
  { name = 'team/app', ...image }: Partial<CatalogImage> & { name?: string } = {},
) {
  files.set('/disk.raw', content);
  files.set('/SHA256SUMS', `${'0'.repeat(64)}  other.raw\n${sha256sums('disk.raw', content)}`);
  await own({ [name]: { url: at('/disk.raw'), checksum: at('/SHA256SUMS'), ...image } });
}

describe('an image of the own catalog', () => {
  test('is downloaded over HTTPS, verified, told of, and asked for once', async () => {
    const content = diskBytes(20);
    await publish(content, { user: 'admin' });
    await machinefile('team/app');
    const { stdout, stderr } = await imports.project.vm(...choose);
    const [box] = await imports.list();
    expect(box).toMatchObject({
      name: 'team/app',
      version: digest('sha256', content).slice(0, 12),
      digest: digest('sha256', content),
      user: 'admin',
      seed: 'cloud-init',
      source: `downloaded from ${at('/disk.raw')}`,
    });
    expect(stdout).toContain(`/boxes/${box?.key}/disk.qcow2`);
    expect(stderr).toContain(`team/app: using ${at('/disk.raw')}, as ${imports.homeDir}/catalog.yaml says\n`);
    expect(newRequests()).toEqual(['/SHA256SUMS', '/disk.raw']);
    await imports.project.ok(...choose);
    expect(newRequests()).toEqual([]);
  });

  test.each<[string, string, (content: Buffer) => Promise<Buffer>, (name: string, packed: Buffer) => string]>([
    ['qcow2', '/disk.qcow2', (raw) => converted(raw), (name, packed) => sha256sums(name, packed)],
    [
      'raw.xz, listed as BSD does',
      '/disk.raw.xz',
      (raw) => compressed(raw, 'xz'),
      (name, packed) => `SHA512 (${name}) = ${digest('sha512', packed)}\n`,
    ],
    [
      'qcow2.xz, with one digest alone',
      '/disk.qcow2.xz',
      async (raw) => compressed(await converted(raw), 'xz'),
      (_name, packed) => `${digest('sha512', packed)}\n`,
    ],
    ['raw.gz', '/disk.raw.gz', (raw) => compressed(raw, 'gzip'), (name, packed) => sha256sums(name, packed)],
  ])('in the format %s', async (_format, path, pack, list) => {
    const content = diskBytes(21);
    const packed = await pack(content);
    files.set(path, packed);
    files.set('/list', list(path.slice(1), packed));
    await own({ app: { url: at(path), checksum: at('/list'), format: path.split('.').slice(1).join('.') } });
    await machinefile('app');
    await imports.project.ok(...choose);
    const [box] = await imports.list();
    expect(box).toMatchObject({ name: 'app', user: 'vm', digest: digest('sha256', packed) });
    const diskPath = join(imports.homeDir, 'boxes', String(box?.key), 'disk.qcow2');
    await imports.run(tools.qemuImg, 'convert', '-f', 'qcow2', '-O', 'raw', diskPath, 'received.raw');
    expect((await readFile(imports.at('received.raw'))).equals(content)).toBe(true);
  });

  test('comes from a mirror where the first address has nothing', async () => {
    const content = diskBytes(22);
    await publish(content, { mirrors: [at('/gone.raw'), at('/mirror.raw')] });
    files.set('/mirror.raw', content);
    files.delete('/disk.raw');
    await machinefile('team/app');
    await imports.project.ok(...choose);
    expect(newRequests()).toEqual(['/SHA256SUMS', '/disk.raw', '/gone.raw', '/mirror.raw']);
    expect(await imports.list()).toMatchObject([{ digest: digest('sha256', content) }]);
  });

  test('that is not what its checksum says is not used, wherever else it may be', async () => {
    const content = diskBytes(23);
    await publish(content, { mirrors: [at('/mirror.raw')] });
    files.set('/mirror.raw', content);
    files.set('/disk.raw', diskBytes(24));
    await machinefile('team/app');
    expect(await imports.project.fails(1, ...choose)).toContain(
      `/disk.raw is not what its checksum says:\n  expected sha256:${digest('sha256', content)}\n`,
    );
    expect(newRequests()).toEqual(['/SHA256SUMS', '/disk.raw']);
    expect(await imports.kept()).toEqual([]);
  });

  test('that its list does not have', async () => {
    await publish(diskBytes(25));
    files.set('/SHA256SUMS', sha256sums('other.raw', diskBytes(25)));
    await machinefile('team/app');
    expect(await imports.project.fails(1, ...choose)).toContain('/SHA256SUMS has no checksum of disk.raw\n');
    expect(newRequests()).toEqual(['/SHA256SUMS']);
  });

  test('that is for other hosts', async () => {
    await publish(diskBytes(26), { arch: OTHER_ARCH });
    await machinefile('team/app');
    expect(await imports.project.fails(1, ...choose)).toContain(
      `vm: team/app has no image for ${HOST_ARCH}, only for ${OTHER_ARCH}\n`,
    );
    expect(newRequests()).toEqual([]);
  });

  test('has the version that its entry says, and no other', async () => {
    await publish(diskBytes(27), { version: '1.2.0' });
    await machinefile('team/app@~> 1.0');
    await imports.project.ok(...choose);
    expect(await imports.list()).toMatchObject([{ name: 'team/app', version: '1.2.0' }]);
    await machinefile('team/app@2.0');
    const refused = await imports.project.fails(1, ...choose);
    expect(refused).toContain('there is no version 2.0 of the box team/app; ');
    expect(refused).toContain('/catalog.yaml has 1.2.0\n→ use team/app@1.2.0, or leave the version away');
    await publish(diskBytes(27));
    expect(await imports.project.fails(1, ...choose)).toContain('/catalog.yaml has an image without a version\n');
  });

  test('comes before a recipe of the same name, but after a box that is here', async () => {
    await publish(diskBytes(28), { name: 'tiny' });
    await machinefile('tiny');
    await storeFakeBox(imports.homeDir, 'tiny');
    const here = await imports.project.ok(...choose);
    expect(newRequests()).toEqual([]);
    await imports.project.ok('box', 'remove', 'tiny');
    expect(await imports.project.ok(...choose)).not.toBe(here);
    expect(newRequests()).toEqual(['/SHA256SUMS', '/disk.raw']);
  });

  test('has its own user, also where the same file is a box for others', async () => {
    await publish(diskBytes(29), { user: 'admin' });
    const users = async () => (await imports.list()).map(({ name, user }) => `${name}: ${user}`).sort();
    await imports.project.write(
      'Machinefile',
      `machines: { a: { box: team/app }, b: { box: "${at('/disk.raw')}" } }\n`,
    );
    await imports.project.ok('box', 'update');
    expect(await users()).toEqual(['disk.raw: vm', 'team/app: admin']);
    await imports.project.ok('box', 'remove', 'team/app');
    await imports.project.ok(...choose);
    expect(await users()).toEqual(['disk.raw: vm', 'team/app: admin']);
  });
});

test('a user who is changed in the catalog counts when the box is renewed', async () => {
  const { project } = imports;
  await publish(diskBytes(35), { user: 'admin' });
  await machinefile('team/app');
  await project.ok('box', 'update');
  await publish(diskBytes(35), { user: 'root' });
  const before = await project.ok(...choose);
  await project.ok('box', 'update');
  const [renewed] = await imports.list();
  expect(renewed).toMatchObject({ name: 'team/app', user: 'root' });
  const after = await project.ok(...choose);
  expect(before).not.toContain(`/boxes/${renewed?.key}/`);
  expect(after).toContain(`/boxes/${renewed?.key}/`);
});

test('a catalog with mistakes is told with their places', async () => {
  await machinefile('team/app');
  await own({});
  await writeFile(join(imports.homeDir, 'catalog.yaml'), 'boxes:\n  team/app:\n    url: https://x.example/disk.raw\n');
  const told = await imports.project.fails(2, ...choose);
  expect(told).toContain('catalog.yaml:3:5: unknown key “url”');
  expect(told).toContain('catalog.yaml:2:3: “images” is missing');
});

describe('Machinefile.lock', () => {
  const [before, after] = [diskBytes(30), diskBytes(31)] as const;

  test('pins the image; another one in its place is fatal, until it is renewed', async () => {
    const { project } = imports;
    await publish(before);
    await machinefile('team/app');
    expect(await project.ok('box', 'update')).toMatch(/^team\/app is locked at [0-9a-f]{12}\n$/);
    expect(await lockfile()).toContain(`sha256: ${digest('sha256', before)}`);
    expect(await lockfile()).toContain(`source: downloaded from ${at('/disk.raw')}`);
    await publish(after);
    newRequests();
    await project.ok(...choose);
    expect(newRequests()).toEqual([]);
    await project.ok('box', 'prune', '--all', '--yes');
    for (const args of [choose, ['up', '--locked']]) {
      const refused = await project.fails(1, ...args);
      expect(refused).toContain('the box team/app is not the one in Machinefile.lock');
      expect(refused).toContain('→ if the new one is wanted: vm box update team/app');
    }
    expect(await project.ok('box', 'update')).toContain(
      `${digest('sha256', before).slice(0, 12)} → ${digest('sha256', after).slice(0, 12)}`,
    );
    await project.ok(...choose);
  });

  test('does not take the beginning of a digest for a version, whatever it looks like', async () => {
    const { project } = imports;
    const content = imageWithDecimalDigest();
    await publish(content);
    await machinefile('team/app');
    expect(await project.ok('box', 'update')).toMatch(/^team\/app is locked at \d{12}\n$/);
    await project.ok('box', 'prune', '--all', '--yes');
    await project.ok(...choose);
    expect(await imports.list()).toMatchObject([{ digest: digest('sha256', content) }]);
  });

  test('has no image that `--locked` does not find in it', async () => {
    await publish(before);
    await machinefile('team/app');
    expect(await imports.project.fails(1, 'up', '--locked')).toContain('does not have every box that is asked for');
  });

  test('a version that the catalog no longer has is not replaced by another', async () => {
    const { project } = imports;
    await publish(before, { version: '1.0.0' });
    await machinefile('team/app');
    await project.ok('box', 'update');
    await project.ok('box', 'prune', '--all', '--yes');
    await publish(after, { version: '1.1.0' });
    const refused = await project.fails(1, ...choose);
    expect(refused).toContain('there is no version 1.0.0 of the box team/app');
    expect(refused).toContain('where Machinefile.lock has the version: vm box update team/app');
    expect(await project.ok('box', 'update')).toBe('team/app: 1.0.0 → 1.1.0\n');
  });
});

describe('vm box update', () => {
  test.each(['sha256', 'sha512'])('does not download again what the %s in the list already is', async (algorithm) => {
    const { project } = imports;
    const [before, after] = [diskBytes(32), diskBytes(33)] as const;
    const put = (content: Buffer) => {
      files.set('/disk.raw', content);
      files.set('/list', `${digest(algorithm, content)}  disk.raw\n`);
    };
    put(before);
    await own({ 'team/app': { url: at('/disk.raw'), checksum: at('/list') } });
    await machinefile('team/app');
    await project.ok('box', 'update');
    expect(newRequests()).toEqual(['/list', '/disk.raw']);
    expect(await project.ok('box', 'update')).toMatch(/^team\/app is up to date /);
    expect(newRequests()).toEqual(['/list']);
    put(after);
    expect(await project.ok('box', 'update')).toContain(` → ${digest('sha256', after).slice(0, 12)}\n`);
    expect(newRequests()).toEqual(['/list', '/disk.raw']);
  });
});

async function converted(raw: Buffer): Promise<Buffer> {
  await writeFile(imports.at('source.raw'), raw);
  await imports.run(tools.qemuImg, 'convert', '-f', 'raw', '-O', 'qcow2', 'source.raw', 'source.qcow2');
  return readFile(imports.at('source.qcow2'));
}

async function compressed(content: Buffer, program: 'xz' | 'gzip'): Promise<Buffer> {
  await writeFile(imports.at('packed'), content);
  await imports.run(program, '--force', '--suffix=.z', 'packed');
  return readFile(imports.at('packed.z'));
}

/** An image whose version, the beginning of its digest, is well-formed. */
function imageWithDecimalDigest(): Buffer {
  const content = diskBytes(34).subarray(0, 64 * 1024);
  for (let i = 0; ; i++) {
    content.writeUInt32LE(i, 1024);
    if (/^\d{12}/.test(digest('sha256', content))) return content;
  }
}
