import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HttpStatusError } from '../../../src/http/http-errors.ts';
import { findNameSource } from '../../../src/operations/box-names.ts';

const RECIPE = `version: 1.0.0
description: A box
arch: x86_64
suite: trixie
variant: minbase
sources: []
packages: {}
user: vm
seed: machinefile
disk: 1GiB
command_line: root=/dev/vda
initramfs_modules: []
`;

let dir: string;
/** What the Vagrant server answers, by path; 404 for the rest. */
let answers: Record<string, number>;
let asked: string[];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vm-names-'));
  for (const folder of ['home', 'boxes']) await mkdir(join(dir, folder));
  answers = {};
  asked = [];
});

afterEach(() => rm(dir, { recursive: true }));

async function writeRecipe(name: string): Promise<void> {
  const folder = join(dir, 'boxes', name.replace('/', '-'));
  await mkdir(folder);
  await writeFile(join(folder, 'recipe.yaml'), `name: ${name}\n${RECIPE}`);
}

function writeCatalog(folder: 'home' | 'boxes', ...names: string[]): Promise<void> {
  const image = { url: `https://${folder}.example/x`, checksum: `https://${folder}.example/SHA256SUMS`, format: 'raw' };
  const boxes = names.map((name) => [name, { description: folder, images: { x86_64: image } }]);
  // JSON is YAML.
  return writeFile(join(dir, folder, 'catalog.yaml'), JSON.stringify({ boxes: Object.fromEntries(boxes) }));
}

/** The kind of the source, of a catalog whose it is. */
async function sourceOf(name: string, vagrantServerUrl?: string): Promise<string | undefined> {
  const source = await findNameSource(name, {
    dirs: { homeDir: join(dir, 'home'), runtimeDir: join(dir, 'run') },
    recipesDir: join(dir, 'boxes'),
    vagrantServerUrl,
    signal: new AbortController().signal,
    openHttp: async () => ({
      async request({ url }) {
        asked.push(url);
        const status = answers[new URL(url).pathname] ?? 404;
        return { status, headers: {}, body: Readable.from([]), discard: async () => {} };
      },
      [Symbol.asyncDispose]: async () => {},
    }),
  });
  return source?.kind === 'catalog' ? `catalog of ${source.entry.description}` : source?.kind;
}

const SERVER = 'https://server.example/';
const [NEW, OLD] = ['https://server.example/api/v2/vagrant/org/app', 'https://server.example/org/app'] as const;

describe('a name means', () => {
  test('nothing, where nobody has it', async () => {
    expect(await sourceOf('org/app')).toBeUndefined();
  });

  test('the first of: own catalog, recipe, server, catalog that comes with vm', async () => {
    await writeCatalog('boxes', 'org/app');
    expect(await sourceOf('org/app')).toBe('catalog of boxes');
    answers = { '/api/v2/vagrant/org/app': 200 };
    expect(await sourceOf('org/app', SERVER)).toBe('server');
    await writeRecipe('org/app');
    expect(await sourceOf('org/app', SERVER)).toBe('recipe');
    await writeCatalog('home', 'org/app');
    expect(await sourceOf('org/app', SERVER)).toBe('catalog of home');
  });

  test('something else than other names in the same files', async () => {
    await writeCatalog('home', 'a');
    await writeRecipe('b');
    await writeCatalog('boxes', 'a', 'c');
    expect(await Promise.all(['a', 'b', 'c'].map((name) => sourceOf(name)))).toEqual([
      'catalog of home',
      'recipe',
      'catalog of boxes',
    ]);
  });
});

describe('the Vagrant server', () => {
  test('is not asked about what only it may have, nor about what is configured before it', async () => {
    await writeRecipe('org/built');
    expect(await sourceOf('org/app', SERVER)).toBe('server');
    expect(await sourceOf('org/built', SERVER)).toBe('recipe');
    expect(asked).toEqual([]);
  });

  test('has no names without a slash', async () => {
    await writeCatalog('boxes', 'app');
    expect(await sourceOf('app', SERVER)).toBe('catalog of boxes');
    expect(await sourceOf('other', SERVER)).toBeUndefined();
    expect(asked).toEqual([]);
  });

  test('gives way to the catalog that comes with vm only for what it does not know', async () => {
    await writeCatalog('boxes', 'org/app');
    expect(await sourceOf('org/app', SERVER)).toBe('catalog of boxes');
    expect(asked).toEqual([NEW, OLD]);
    answers = { '/org/app': 200 };
    expect(await sourceOf('org/app', SERVER)).toBe('server');
  });

  test.each([401, 500])('that answers %i decides nothing', async (status) => {
    await writeCatalog('boxes', 'org/app');
    answers = { '/api/v2/vagrant/org/app': status };
    await expect(sourceOf('org/app', SERVER)).rejects.toBeInstanceOf(HttpStatusError);
  });
});

test('an own catalog with mistakes is an error, not passed over', async () => {
  await writeFile(join(dir, 'home', 'catalog.yaml'), 'boxes: { a: 1 }');
  await writeRecipe('b');
  await expect(sourceOf('b')).rejects.toThrow('catalog.yaml:1:13: “a” is wrong');
});
