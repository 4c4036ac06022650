import { inPhase } from '../../context.ts';
import type { Services } from '../services.ts';
import { type CachedLayer, chainOf, layersNamed, listCache, SHORT_ID_LENGTH } from './cache.ts';

/**
 * Reads all bytes of layers again, and of those that they stand on; without a name of all layers.
 * @returns what is known of them by now: a damaged one has a problem.
 * @throws UsageError if there is no layer of this name.
 */
export async function verifyCache(name: string | undefined, services: Services): Promise<CachedLayer[]> {
  const before = await listCache(services);
  const meant = name === undefined ? before.layers : layersNamed(name, before);
  const ids = new Set(meant.flatMap((layer) => chainOf(layer, before)).map(({ layer }) => layer.id));
  for (const id of ids) {
    await inPhase(services, id.slice(0, SHORT_ID_LENGTH), 'verify', () => services.layers.verify(id, services.signal));
  }
  const { layers } = await listCache(services);
  return layers.filter(({ layer }) => meant.some((listed) => listed.layer.id === layer.id));
}
