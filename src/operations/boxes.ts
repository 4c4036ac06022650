import type { Box, BoxListing } from '../boxes/box.ts';
import { StateError } from '../errors.ts';
import type { LayerListing } from '../layers/layer.ts';
import { noSuchBox } from './box-sources.ts';
import { boxUsers } from './box-users.ts';
import { removeLayersOfBox } from './cache/remove.ts';
import { checkAllKnown, formatUsers, type MachineUser, type MachineUsers } from './machine-users.ts';
import type { Services } from './services.ts';

/** A box, and what stands on it. */
export interface UsedBox extends BoxListing {
  readonly users: readonly MachineUser[];
  /** Boxes that were made from it and hold only what differs. */
  readonly children: readonly Box[];
  /** Those that stand on it: they are removed with it. */
  readonly layers: readonly LayerListing[];
}

export async function listBoxes(services: Services): Promise<UsedBox[]> {
  return withUsers(await boxUsers(services), services);
}

async function withUsers({ byKey }: MachineUsers, services: Services): Promise<UsedBox[]> {
  const listings = await services.boxes.list();
  const layers = await services.layers.list();
  return listings.map((listing) => ({
    ...listing,
    users: byKey.get(listing.box.key) ?? [],
    children: listings.map(({ box }) => box).filter(({ parentKey }) => parentKey === listing.box.key),
    layers: layers.filter(({ layer }) => layer.boxKey === listing.box.key),
  }));
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
 * The boxes that no machine stands on, nor a box that stays: of each name those that a newer one has replaced, or all.
 * Each comes before the one it stands on.
 * @throws StateError if it cannot be known which machines stand on which.
 */
export async function unusedBoxes(all: boolean, services: Services): Promise<UsedBox[]> {
  const users = await boxUsers(services);
  checkAllKnown('some boxes', users);
  const boxes = await withUsers(users, services);
  // Listed by name, newest first.
  const newest = new Set(boxes.filter(({ box }, index) => boxes[index - 1]?.box.name !== box.name));
  return childrenFirst(boxes.filter((listed) => listed.users.length === 0 && (all || !newest.has(listed))));
}

/** Those whose children are all among them, children first. */
function childrenFirst(candidates: readonly UsedBox[]): UsedBox[] {
  const chosen: UsedBox[] = [];
  const isChosen = ({ key }: Box) => chosen.some(({ box }) => box.key === key);
  for (let before = -1; before !== chosen.length; ) {
    before = chosen.length;
    chosen.push(...candidates.filter(({ box, children }) => !isChosen(box) && children.every(isChosen)));
  }
  return chosen;
}

/** Removes boxes, each with a last look whether a machine stands on it by now; such a one is left. */
export async function pruneBoxes(boxes: readonly UsedBox[], services: Services): Promise<readonly UsedBox[]> {
  const removed: UsedBox[] = [];
  for (const listed of boxes) {
    if (await removeUnused(listed.box.key, services)) removed.push(listed);
  }
  return removed;
}

async function removeUnused(key: string, services: Services): Promise<boolean> {
  await using _lock = await services.boxes.lock(key, { purpose: 'vm box prune', signal: services.signal });
  // Whoever creates a machine holds the lock of its box.
  const users = await boxUsers(services);
  checkAllKnown('some boxes', users);
  const listed = (await withUsers(users, services)).find(({ box }) => box.key === key);
  if (listed === undefined || listed.users.length > 0 || listed.children.length > 0) return false;
  if (!(await removeLayersOfBox(key, 'vm box prune', services))) return false;
  await services.boxes.remove(key);
  return true;
}

/**
 * Removes all boxes of this name, or the one with this key.
 * @throws StateError naming the machines that stand on one of them, or may: nothing is removed then.
 */
export async function removeBox(name: string, services: Services): Promise<readonly UsedBox[]> {
  const named = await boxesNamed(name, services);
  checkUnused(named);
  checkAllKnown(`the box ${name}`, await boxUsers(services));
  for (const { box } of childrenFirst(named)) {
    await using _lock = await services.boxes.lock(box.key, { purpose: 'vm box remove', signal: services.signal });
    // Looked at again: whoever creates a machine holds the lock of its box.
    checkUnused(await boxesNamed(box.key, services));
    if (!(await removeLayersOfBox(box.key, 'vm box remove', services))) {
      throw new StateError(`the box ${box.name} is what a layer stands on that is in use`, { hint: 'vm cache list' });
    }
    await services.boxes.remove(box.key);
  }
  return named;
}

/** @throws StateError if one of the boxes is what something stands on that is not among them. */
function checkUnused(boxes: readonly UsedBox[]): void {
  for (const { box, users, children } of boxes) {
    const child = children.find(({ key }) => !boxes.some((other) => other.box.key === key));
    if (child !== undefined) {
      throw new StateError(`the box ${box.name} is what the box ${child.name} ${child.version} stands on`, {
        hint: `remove that first: vm box remove ${child.key.slice(0, KEY_MIN_LENGTH)}`,
      });
    }
    if (users.length === 0) continue;
    throw new StateError(`the box ${box.name} is in use by ${formatUsers(users)}`, {
      hint: 'destroy them first: vm destroy',
    });
  }
}
