import { afterAll, beforeAll, expect, test } from 'vitest';
import { storeFakeBox } from '../support/fake-box.ts';
import { OTHER_ARCH, writeOwnCatalog } from '../support/own-catalog.ts';
import { TestProject } from '../support/test-project.ts';
import { tools } from '../support/tools.ts';

let project: TestProject;

const HEX = '0a'.repeat(32);

beforeAll(async () => {
  project = await TestProject.create({ files: {}, tools: [tools.qemuImg] });
  const homeDir = String(project.env.VM_HOME);
  await storeFakeBox(homeDir, 'tiny');
  await writeOwnCatalog(homeDir, {
    'debian/12': { url: 'https://own.example/disk.raw.xz', checksum: `sha256:${HEX}`, format: 'raw.xz', user: 'me' },
    'team/app': { url: 'https://own.example/app', checksum: `sha256:${HEX}`, version: '1.2.0', arch: OTHER_ARCH },
  });
});

afterAll(() => project[Symbol.asyncDispose]());

interface Listed {
  readonly name: string;
  readonly sources: readonly string[];
  readonly images: readonly { readonly arch: string }[];
}

test('vm box list --remote --json: recipes and both catalogs, each name once', async () => {
  const boxes = JSON.parse(await project.ok('box', 'list', '--remote', '--json')) as Listed[];
  const find = (name: string) => boxes.filter((box) => box.name === name);
  expect(find('debian/12')).toEqual([
    {
      name: 'debian/12',
      version: null,
      description: 'The box debian/12',
      user: 'me',
      sources: ['own_catalog', 'recipe', 'catalog'],
      here: false,
      images: [{ arch: expect.any(String), format: 'raw.xz', url: 'https://own.example/disk.raw.xz' }],
    },
  ]);
  expect(find('team/app')).toMatchObject([
    { version: '1.2.0', user: null, sources: ['own_catalog'], images: [{ arch: OTHER_ARCH, format: 'raw' }] },
  ]);
  expect(find('tiny')).toMatchObject([
    { version: '1.0.0', sources: ['recipe'], here: true, images: [{ arch: 'x86_64', format: null, url: null }] },
  ]);
  expect(find('ubuntu/24.04')).toMatchObject([
    { version: null, user: 'ubuntu', sources: ['catalog'], images: [{ arch: 'x86_64' }, { arch: 'aarch64' }] },
  ]);
});

test('vm box list --remote: a table, in the order of people', async () => {
  const lines = (await project.ok('box', 'list', '--remote')).trimEnd().split('\n');
  expect(lines[0]).toMatch(/^BOX +VERSION +ARCH +FORMAT +SOURCE +HERE +DESCRIPTION$/);
  expect(lines.find((line) => line.startsWith('tiny '))).toMatch(/^tiny +1\.0\.0 +x86_64 +built here +recipe +yes +\S/);
  expect(lines.find((line) => line.startsWith('debian/12 '))).toMatch(/ raw\.xz +own catalog, recipe, catalog +no /);
  const names = lines.map((line) => line.split(' ')[0]);
  expect(names.indexOf('almalinux/9')).toBeLessThan(names.indexOf('almalinux/10'));
});

test('what is not here is told from what is nowhere', async () => {
  expect(await project.fails(1, 'box', 'info', 'ubuntu/24.04')).toBe(
    'vm: the box ubuntu/24.04 is not here yet\n→ vm up gets it for a machine that asks for it\n',
  );
  expect(await project.fails(1, 'box', 'info', 'ubuntu/1.0')).toMatch(
    /^vm: there is no box called ubuntu\/1\.0\n→ boxes: .*team\/app, tiny, ubuntu\/22\.04/,
  );
  expect(await project.fails(1, 'box', 'build', 'ubuntu/24.04')).toMatch(
    /^vm: there is no recipe for a box called ubuntu\/24\.04\n→ recipes: debian\/12, .*tiny\n$/,
  );
});
