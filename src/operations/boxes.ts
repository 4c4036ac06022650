import { join } from 'node:path';
import type { Box, BoxListing } from '../boxes/box.ts';
import { buildBox } from '../boxes/build.ts';
import { importImage } from '../boxes/import.ts';
import { findRecipe, listRecipes } from '../boxes/recipe.ts';
import { StateError, VmError } from '../errors.ts';
import type { BoxReference } from '../machinefile/spec.ts';
import { type BoxUser, boxUsers } from './box-users.ts';
import type { Services } from './services.ts';

/**
 * The box that is meant: in the store, or imported from its file, or built from the recipe of that name.
 * @throws VmError if there is neither box nor recipe.
 */
export async function ensureBox(reference: BoxReference, services: Services): Promise<Box> {
  if (reference.kind === 'path') {
    const { dirs, boxes: store, arch } = services;
    const memoryDir = join(dirs.homeDir, 'imports');
    return importImage({ path: reference.path, arch, memoryDir }, { store, context: services });
  }
  const { name, version } = reference;
  const found = await services.boxes.find(name, version);
  if (found !== undefined) return found;
  const recipe = await findRecipe(services.recipesDir, name);
  if (recipe === undefined) throw await noSuchBox(name, services);
  if (version !== undefined && recipe.version !== version) {
    throw new VmError(`there is no version ${version} of the box ${name}; its recipe makes ${recipe.version}`, {
      hint: `use ${name}@${recipe.version}, or leave the version away`,
    });
  }
  return build(name, { force: false, services });
}

/** Makes a box from its recipe; gives the one that is there where nothing it is made of has changed. */
export async function build(
  name: string,
  { force, services }: { readonly force: boolean; readonly services: Services },
): Promise<Box> {
  const { recipesDir, boxes: store } = services;
  if ((await findRecipe(recipesDir, name)) === undefined) throw await noSuchBox(name, services);
  return buildBox({ recipesDir, name, force }, { store, context: services });
}

/** A box and the machines that stand on it. */
export interface UsedBox extends BoxListing {
  readonly users: readonly BoxUser[];
}

export async function listBoxes(services: Services): Promise<UsedBox[]> {
  const { byKey } = await boxUsers(services);
  return (await services.boxes.list()).map((listing) => ({ ...listing, users: byKey.get(listing.box.key) ?? [] }));
}

/** As much of a key as lists show. */
const KEY_MIN_LENGTH = 12;

/** All boxes of this name, or whose key begins so. @throws VmError if there is none. */
export async function boxesNamed(name: string, services: Services): Promise<UsedBox[]> {
  const named = (await listBoxes(services)).filter(
    ({ box }) => box.name === name || (name.length >= KEY_MIN_LENGTH && box.key.startsWith(name)),
  );
  if (named.length === 0) throw await noSuchBox(name, services);
  return named;
}

/**
 * Removes all boxes of this name, or the one with this key.
 * @throws StateError naming the machines that stand on one of them, or may: nothing is removed then.
 */
export async function removeBox(name: string, services: Services): Promise<readonly UsedBox[]> {
  const named = await boxesNamed(name, services);
  checkUnused(named);
  const { unknown } = await boxUsers(services);
  if (unknown.length > 0) {
    throw new StateError(`the box ${name} may be in use by ${formatUsers(unknown)}, whose record is damaged`, {
      hint: 'vm destroy removes such a machine',
    });
  }
  for (const { box } of named) {
    await using _lock = await services.boxes.lock(box.key, { purpose: 'vm box remove', signal: services.signal });
    // Looked at again: whoever creates a machine holds the lock of its box.
    checkUnused(await boxesNamed(box.key, services));
    await services.boxes.remove(box.key);
  }
  return named;
}

function checkUnused(boxes: readonly UsedBox[]): void {
  for (const { box, users } of boxes) {
    if (users.length === 0) continue;
    throw new StateError(`the box ${box.name} is in use by ${formatUsers(users)}`, {
      hint: 'destroy them first: vm destroy',
    });
  }
}

function formatUsers(users: readonly BoxUser[]): string {
  return users.map(({ machine, projectDir }) => `${machine} in ${projectDir}`).join(', ');
}

async function noSuchBox(name: string, { recipesDir, boxes }: Services): Promise<VmError> {
  const known = [
    ...(await boxes.list()).map(({ box }) => box.name),
    ...(await listRecipes(recipesDir)).map((recipe) => recipe.name),
  ];
  return new VmError(`there is no box called ${name}`, { hint: `boxes: ${[...new Set(known)].sort().join(', ')}` });
}
