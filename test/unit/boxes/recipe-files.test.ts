import { chmod, cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findRecipe, listRecipes, type Recipe } from '../../../src/boxes/recipe.ts';
import { fingerprintOf, stageGuestFiles } from '../../../src/boxes/recipe-files.ts';
import { rootDir } from '../../support/paths.ts';

let recipesDir: string;

beforeEach(async () => {
  recipesDir = join(await mkdtemp(join(tmpdir(), 'vm-recipes-')), 'boxes');
  await cp(join(rootDir, 'boxes'), recipesDir, { recursive: true });
});

afterEach(() => rm(join(recipesDir, '..'), { recursive: true }));

async function recipeOf(name: string): Promise<Recipe> {
  const recipe = await findRecipe(recipesDir, name);
  if (recipe === undefined) throw new Error(`no recipe ${name}`);
  return recipe;
}

const tiny = () => recipeOf('tiny');

/** The recipe that is like debian-12. */
const debian13 = () => recipeOf('debian/13');

test('the recipes of the package are valid', async () => {
  const recipes = await listRecipes(recipesDir);
  expect(recipes.map(({ name }) => name)).toEqual(['debian/12', 'debian/13', 'tiny']);
});

test('an unknown recipe is not found', async () => {
  expect(await findRecipe(recipesDir, 'debian/99')).toBeUndefined();
});

test('a recipe is found by its name, whatever its folder is called', async () => {
  await cp(join(recipesDir, 'tiny'), join(recipesDir, 'mine'), { recursive: true });
  const text = await readFile(join(recipesDir, 'mine/recipe.yaml'), 'utf8');
  await writeFile(join(recipesDir, 'mine/recipe.yaml'), text.replace('name: tiny', 'name: other'));
  await writeFile(join(recipesDir, 'tiny/recipe.yaml'), text.replace('name: tiny', 'name: mine'));
  expect(await recipeOf('mine')).toMatchObject({ dir: join(recipesDir, 'tiny') });
  expect(await recipeOf('other')).toMatchObject({ dir: join(recipesDir, 'mine') });
});

test('a copy elsewhere has the same fingerprint', async () => {
  const original = await findRecipe(join(rootDir, 'boxes'), 'tiny');
  expect(original && (await fingerprintOf(original))).toBe(await fingerprintOf(await tiny()));
});

test.each([
  ['recipe', 'tiny/recipe.yaml'],
  ['customise script', 'tiny/customise'],
  ['file for the guest', 'tiny/files/etc/inittab'],
  ['shared file for the guest', 'guest/usr/lib/machinefile/apply-seed'],
  ['script of the builder', 'build/assemble'],
])('another %s makes another fingerprint', async (_, name) => {
  const before = await fingerprintOf(await tiny());
  await writeFile(join(recipesDir, name), '\n', { flag: 'a' });
  expect(await fingerprintOf(await tiny())).not.toBe(before);
});

test('another recipe changes nothing', async () => {
  const before = await fingerprintOf(await tiny());
  await writeFile(join(recipesDir, 'debian-12/recipe.yaml'), '\n', { flag: 'a' });
  expect(await fingerprintOf(await tiny())).toBe(before);
});

test('of permissions only “executable” counts', async () => {
  const before = await fingerprintOf(await tiny());
  await chmod(join(recipesDir, 'tiny/files/etc/inittab'), 0o600);
  expect(await fingerprintOf(await tiny())).toBe(before);
  await chmod(join(recipesDir, 'tiny/files/etc/inittab'), 0o700);
  expect(await fingerprintOf(await tiny())).not.toBe(before);
});

test('the guest gets the shared files and those of the recipe, readable whatever the umask is', async () => {
  const filesDir = join(recipesDir, '..', 'staged');
  await chmod(join(recipesDir, 'tiny/files/etc/inittab'), 0o600);
  await mkdir(join(recipesDir, 'guest/etc'), { recursive: true });
  await writeFile(join(recipesDir, 'guest/etc/shells'), 'shared\n');
  const umask = process.umask(0o077);
  try {
    await stageGuestFiles(await tiny(), filesDir);
  } finally {
    process.umask(umask);
  }
  const modeOf = async (name: string) => (await stat(join(filesDir, name))).mode & 0o777;
  expect(await modeOf('etc')).toBe(0o755);
  expect(await modeOf('etc/inittab')).toBe(0o644);
  expect(await modeOf('usr/lib/machinefile/apply-seed')).toBe(0o755);
  expect(await readFile(join(filesDir, 'etc/shells'), 'utf8')).toContain('login-shell');
});

describe('a recipe that is like another', () => {
  test.each([
    ['recipe', 'debian-12/recipe.yaml'],
    ['customise script', 'debian-12/customise'],
    ['file for the guest', 'debian-12/files/etc/hosts'],
    ['recipe of its own', 'debian-13/recipe.yaml'],
    ['file of its own', 'debian-13/files/etc/motd'],
  ])('another %s makes another fingerprint', async (_, name) => {
    const before = await fingerprintOf(await debian13());
    await mkdir(join(recipesDir, name, '..'), { recursive: true });
    await writeFile(join(recipesDir, name), '\n', { flag: 'a' });
    expect(await fingerprintOf(await debian13())).not.toBe(before);
  });

  test('it gets the files of that one, and its own, which win', async () => {
    const filesDir = join(recipesDir, '..', 'staged');
    await mkdir(join(recipesDir, 'debian-13/files/etc'), { recursive: true });
    await writeFile(join(recipesDir, 'debian-13/files/etc/hostname'), 'thirteen\n');
    await stageGuestFiles(await debian13(), filesDir);
    expect(await readFile(join(filesDir, 'etc/hostname'), 'utf8')).toBe('thirteen\n');
    const hosts = await readFile(join(recipesDir, 'debian-12/files/etc/hosts'), 'utf8');
    expect(await readFile(join(filesDir, 'etc/hosts'), 'utf8')).toBe(hosts);
  });
});
