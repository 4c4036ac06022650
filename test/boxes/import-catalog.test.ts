import { readFile, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BOX_METADATA, type Imports, openImports } from '../support/box-imports.ts';
import { digest } from '../support/downloads.ts';
import { type LocalServer, serve } from '../support/local-server.ts';

const VERSIONS = ['1.0.0', '1.2.0', '1.10.0', '2.0.0'];

let imports: Imports;
let server: LocalServer;
/** By their paths on the server. */
const files = new Map<string, string | Buffer>();

beforeAll(async () => {
  server = await serve((request, response) => {
    const content = files.get(request.url ?? '');
    response.writeHead(content === undefined ? 404 : 200).end(content);
  });
  imports = await openImports({ VAGRANT_SERVER_URL: `${server.origin}/` });
  for (const version of VERSIONS) {
    await imports.makeBox(`${version}.box`, { 'metadata.json': BOX_METADATA, Vagrantfile: `# ${version}` });
    files.set(`/boxes/${version}.box`, await readFile(imports.at(`${version}.box`)));
  }
});

afterAll(async () => {
  await imports[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

interface Listed {
  readonly version: string;
  readonly url: string;
  readonly sha256?: string;
  readonly provider?: string;
}

function catalog(name: string, listed: readonly Listed[]): string {
  const versions = listed.map(({ version, url, sha256, provider = 'libvirt' }) => {
    const checksum = sha256 === undefined ? {} : { checksum_type: 'sha256', checksum: sha256 };
    return { version, providers: [{ name: provider, url, ...checksum }] };
  });
  return JSON.stringify({ name, versions });
}

/** All versions, at URLs that begin so. */
function catalogAt(name: string, prefix: string): string {
  return catalog(
    name,
    VERSIONS.map((version) => ({ version, url: `${prefix}${version}.box` })),
  );
}

const sha256Of = (version: string) => digest('sha256', files.get(`/boxes/${version}.box`) ?? '');

/** The paths that were asked for since the last call. */
let asked = 0;
function newRequests(): (string | undefined)[] {
  const urls = server.seen.slice(asked).map(({ url }) => url);
  asked = server.seen.length;
  return urls;
}

describe('a catalog of this host', () => {
  test.each([
    ['next to its boxes', 'beside', () => ''],
    ['with paths', 'paths', () => `${imports.project.dir}/`],
    ['with file: URLs', 'urls', () => `${pathToFileURL(imports.project.dir).href}/`],
  ])('%s', async (_what, name, prefix) => {
    await writeFile(imports.at('catalog.json'), catalogAt(`team/${name}`, prefix()));
    expect(await imports.add('catalog.json')).toMatchObject({ name: `team/${name}`, version: '2.0.0' });
    const [listed] = (await imports.list()).filter((box) => box.name === `team/${name}`);
    expect(listed).toMatchObject({ seed: 'vagrant', source: `imported from ${imports.at('2.0.0.box')}` });
  });

  test.each([
    ['1.0.0', '1.0.0'],
    ['~> 1.2', '1.10.0'],
    ['>= 1, < 1.10', '1.2.0'],
  ])('of which --version %s chooses %s', async (constraint, version) => {
    await writeFile(imports.at('catalog.json'), catalogAt('team/app', ''));
    expect(await imports.add('catalog.json', '--version', constraint)).toMatchObject({ name: 'team/app', version });
    const mine = await imports.add('catalog.json', '--version', constraint, '--name', 'mine');
    expect(mine).toMatchObject({ name: 'mine', version });
  });

  test('with boxes on a server, and no version that is wanted', async () => {
    await writeFile(imports.at('catalog.json'), catalogAt('team/far', `${server.origin}/boxes/`));
    newRequests();
    expect(await imports.add('catalog.json', '--version', '1.2.0')).toMatchObject({ version: '1.2.0' });
    expect(newRequests()).toEqual(['/boxes/1.2.0.box']);
    expect(await imports.project.fails(1, 'box', 'add', 'catalog.json', '--version', '~> 3')).toBe(
      'vm: team/far has no version ~> 3\n→ the newest there are: 2.0.0, 1.10.0, 1.2.0, 1.0.0\n',
    );
    expect(newRequests()).toEqual([]);
  });

  test.each([
    ['1.0.0.box', 'is not what its checksum says:\n  expected sha256:'],
    ['gone.box', 'does not exist\n→ correct the path, or the catalog that names it\n'],
    ['file://elsewhere/1.0.0.box', 'names file://elsewhere/1.0.0.box, which is no file of this host\n'],
  ])('that names %s with the checksum of another', async (url, says) => {
    const listed = { version: '1', url, sha256: sha256Of('1.2.0') };
    await writeFile(imports.at('wrong.json'), catalog('team/wrong', [listed]));
    expect(await imports.project.fails(1, 'box', 'add', 'wrong.json')).toContain(says);
    expect((await imports.list()).filter(({ name }) => name === 'team/wrong')).toEqual([]);
  });
});

describe('a catalog on a server', () => {
  test('with a relative URL and a checksum, asked for once', async () => {
    const listed = { version: '1.2.0', url: '../boxes/1.2.0.box', sha256: sha256Of('1.2.0') };
    files.set('/catalogs/served.json', catalog('team/served', [listed]));
    newRequests();
    const added = await imports.add(`${server.origin}/catalogs/served.json`);
    expect(added).toMatchObject({ name: 'team/served', version: '1.2.0' });
    expect(newRequests()).toEqual(['/catalogs/served.json', '/boxes/1.2.0.box']);
    expect(await imports.add(`${server.origin}/catalogs/served.json`)).toEqual(added);
    expect(newRequests()).toEqual([]);
  });

  test.each([
    ['the checksum of another box', '/boxes/1.0.0.box', '/boxes/1.0.0.box is not what its checksum says:\n'],
    ['a file of this host', 'file:///etc/passwd', '“file:///etc/passwd” is not an http or https URL\n'],
    ['what is no address', 'http://', '“http://” is not an http or https URL\n'],
    ['what is not there', 'gone.box', '/catalogs/gone.box: HTTP 404 Not Found\n→ check the address\n'],
  ])('with %s', async (_what, url, says) => {
    files.set('/catalogs/wrong.json', catalog('team/wrong', [{ version: '1', url, sha256: sha256Of('1.2.0') }]));
    const before = await imports.kept();
    expect(await imports.project.fails(1, 'box', 'add', `${server.origin}/catalogs/wrong.json`)).toContain(says);
    expect(await imports.kept()).toEqual(before);
  });

  test('that has only boxes for VirtualBox', async () => {
    files.set('/vb.json', catalog('team/vb', [{ version: '1', url: 'vb.box', provider: 'virtualbox' }]));
    expect(await imports.project.fails(1, 'box', 'add', `${server.origin}/vb.json`)).toContain(
      'has no box for libvirt or qemu, only for virtualbox\n→ extract the .box for virtualbox (tar -xf) and give the disk',
    );
  });
});

describe('a name that is not known here, in a Machinefile', () => {
  test('is looked up on the Vagrant server, once', async () => {
    const { project, list } = imports;
    files.set('/api/v2/vagrant/org/app', catalogAt('org/app', '/boxes/'));
    await project.write('Machinefile', 'machines: { a: { box: org/app@~> 1.2 }, b: { box: org/app@~> 1.2 } }');
    newRequests();
    await project.ok('up', '--dry-run');
    const plan = await project.ok('up', '--dry-run');
    expect(newRequests()).toEqual(['/api/v2/vagrant/org/app', '/boxes/1.10.0.box']);
    const [app] = (await list()).filter(({ name }) => name === 'org/app');
    expect(app).toMatchObject({ version: '1.10.0', source: `downloaded from ${server.origin}/boxes/1.10.0.box` });
    expect(plan).toContain(`/boxes/${app?.key}/disk.qcow2`);
  });

  test('also where the server is an older one', async () => {
    files.set('/org/old', catalogAt('org/old', '/boxes/'));
    await imports.project.write('Machinefile', 'machines: { a: { box: org/old@1.0.0 } }');
    newRequests();
    await imports.project.ok('up', '--dry-run');
    expect(newRequests()).toEqual(['/api/v2/vagrant/org/old', '/org/old', '/boxes/1.0.0.box']);
  });

  test('is refused where no server knows it, nor could', async () => {
    const { project } = imports;
    await project.write('Machinefile', 'machines: { a: { box: org/none } }');
    expect(await project.fails(1, 'up', '--dry-run')).toContain(
      `vm: cannot download from any of 2 addresses:\n  ${server.origin}/api/v2/vagrant/org/none: HTTP 404 Not Found\n`,
    );
    await project.write('Machinefile', 'machines: { a: { box: none } }');
    newRequests();
    expect(await project.fails(1, 'up', '--dry-run')).toContain('vm: there is no box called none\n');
    expect(newRequests()).toEqual([]);
  });
});
