import { join } from 'node:path';
import { DISK_FILE } from '../../src/boxes/box-file.ts';
import { findRecipe } from '../../src/boxes/recipe.ts';
import { fingerprintOf } from '../../src/boxes/recipe-files.ts';
import { BoxStore } from '../../src/boxes/store.ts';
import { createImage } from './images.ts';
import { rootDir } from './paths.ts';

/** Puts a box with an empty disk into the store, in place of the one that would be built from the recipe. */
export async function storeFakeBox(homeDir: string, name: string): Promise<void> {
  const recipe = await findRecipe(join(rootDir, 'boxes'), name);
  if (recipe === undefined) throw new Error(`there is no recipe for ${name}`);
  const fingerprint = await fingerprintOf(recipe);
  const store = new BoxStore(homeDir);
  await using staging = await store.stage();
  await createImage(join(staging.dir, DISK_FILE));
  const description = {
    key: fingerprint,
    fingerprint,
    name,
    version: recipe.version,
    arch: 'x86_64' as const,
    seed: 'machinefile' as const,
    user: 'root',
    virtualSizeBytes: 64 * 1024 ** 2,
    commandLine: undefined,
    source: 'made by a test',
    builtWith: {},
    createdAt: new Date(0).toISOString(),
  };
  await store.commit(staging, description);
}
