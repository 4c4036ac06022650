import { chmod, copyFile, mkdir, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sha256, sha256OfFile, unlessMissing } from '../host/files.ts';
import type { Recipe } from './recipe.ts';

/** Raised when the same recipe would make another box, because the builder itself has changed. */
const BUILDER_REVISION = 1;

const EXECUTABLE = 0o755;
const PLAIN = 0o644;

/** A file of a recipe. Of its permissions only “executable” counts: a checkout's umask must not change a box. */
interface RecipeFile {
  readonly path: string;
  /** Relative to the folder it was found in. */
  readonly name: string;
  readonly mode: typeof EXECUTABLE | typeof PLAIN;
}

/** Hex sha256 of all that a box is made of but Debian's packages: equal fingerprints make equal boxes. */
export async function fingerprintOf({ dir, like, recipesDir }: Recipe): Promise<string> {
  const shared = { guest: join(recipesDir, 'guest'), build: join(recipesDir, 'build') };
  const folders = { recipe: dir, ...shared, ...(like !== undefined && { like: join(recipesDir, like) }) };
  const inputs: unknown[] = [BUILDER_REVISION];
  for (const [role, folder] of Object.entries(folders)) {
    for (const { path, name, mode } of await findFiles(folder)) {
      inputs.push([role, name, mode, await sha256OfFile(path)]);
    }
  }
  return sha256(JSON.stringify(inputs));
}

/**
 * Copies what the guest gets into `filesDir`: what all boxes share, then what the recipe has from the one it is like, then
 * its own. The last wins.
 */
export async function stageGuestFiles({ dir, like, recipesDir }: Recipe, filesDir: string): Promise<void> {
  await makeFolder(filesDir);
  const likeDirs = like === undefined ? [] : [join(recipesDir, like)];
  for (const folder of [
    join(recipesDir, 'guest'),
    ...[...likeDirs, dir].map((recipeDir) => join(recipeDir, 'files')),
  ]) {
    for (const { path, name, mode } of await findFiles(folder)) {
      const target = join(filesDir, name);
      await makeFolders(filesDir, dirname(name));
      await copyFile(path, target);
      await chmod(target, mode);
    }
  }
}

async function findFiles(folder: string): Promise<RecipeFile[]> {
  const names = (await unlessMissing(readdir(folder, { recursive: true }))) ?? [];
  const found = names.sort().map(async (name): Promise<RecipeFile | undefined> => {
    const path = join(folder, name);
    const stats = await stat(path);
    return stats.isDirectory() ? undefined : { path, name, mode: (stats.mode & 0o100) === 0 ? PLAIN : EXECUTABLE };
  });
  return (await Promise.all(found)).filter((file) => file !== undefined);
}

async function makeFolders(baseDir: string, name: string): Promise<void> {
  let path = baseDir;
  for (const part of name.split('/')) {
    path = join(path, part);
    await makeFolder(path);
  }
}

/** With the permissions of a system's folder, whatever the umask is. */
async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  await chmod(path, EXECUTABLE);
}
