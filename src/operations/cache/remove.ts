import { tellOfWait } from '../machine-lock.ts';
import type { Services } from '../services.ts';
import { listCache, SHORT_ID_LENGTH } from './cache.ts';

/**
 * Removes a layer, or a folder that is none, unless something stands on it by now, or a process works on it. Whoever makes
 * a machine on a layer holds its lock.
 * @returns whether it was removed.
 * @throws StateError if it cannot be known which machines stand on it.
 */
export async function removeUnused(id: string, purpose: string, services: Services): Promise<boolean> {
  const { layers: store, signal } = services;
  await using _lock = await store.lock(id, {
    purpose,
    signal,
    onWait: tellOfWait(id.slice(0, SHORT_ID_LENGTH), services),
  });
  const cache = await listCache(services);
  cache.checkUsersKnown();
  const unfinished = cache.unfinished.find((listed) => listed.id === id);
  const found = unfinished ?? cache.layers.find(({ layer }) => layer.id === id);
  if (found === undefined || found.users.length > 0 || found.children.length > 0) return false;
  if (unfinished?.isMakerAlive) return false;
  await store.remove(id);
  return true;
}

/**
 * Removes the layers that stand on a box, as far as no machine stands on them: they are only a cache. Call with the box's
 * lock held, so that no machine is made on them.
 * @returns whether none is left.
 */
export async function removeLayersOfBox(boxKey: string, purpose: string, services: Services): Promise<boolean> {
  const refused = new Set<string>();
  for (;;) {
    const ofBox = (await listCache(services)).layers.filter(({ layer }) => layer.boxKey === boxKey);
    const next = ofBox.find(
      ({ layer, users, children }) => users.length === 0 && children.length === 0 && !refused.has(layer.id),
    );
    if (next === undefined) return ofBox.length === 0;
    if (!(await removeUnused(next.layer.id, purpose, services))) refused.add(next.layer.id);
  }
}
