import type { Services } from '../services.ts';
import { type Cache, type CachedLayer, listCache, type UnfinishedLayer } from './cache.ts';
import { removeUnused } from './remove.ts';

/** Which of the layers that nothing stands on are to go; damaged ones, and those of clones, always do. */
export interface PruneLimits {
  /** Those that were not used for so long. */
  readonly unusedForMs: number | undefined;
  /** The least recently used, until all layers together take no more. */
  readonly keepBytes: number | undefined;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Where nothing else is said. */
export const DEFAULT_LIMITS: PruneLimits = { unusedForMs: 30 * DAY_MS, keepBytes: 20 * 2 ** 30 };

/** What is to be removed: each layer before the one that it stands on. */
export interface PrunePlan {
  readonly layers: readonly CachedLayer[];
  /** Left by killed processes. */
  readonly unfinished: readonly UnfinishedLayer[];
}

/** @throws StateError if it cannot be known which machines stand on which layers. */
export async function planPrune(limits: PruneLimits, services: Services): Promise<PrunePlan> {
  const cache = await listCache(services);
  cache.checkUsersKnown();
  return { layers: chooseLayers(cache, limits, Date.now()), unfinished: cache.unfinished.filter(isAbandoned) };
}

/** Pure. */
export function chooseLayers({ layers }: Pick<Cache, 'layers'>, limits: PruneLimits, nowMs: number): CachedLayer[] {
  const { unusedForMs = Number.POSITIVE_INFINITY, keepBytes = Number.POSITIVE_INFINITY } = limits;
  const isDue = ({ layer, problem, lastUsedAt }: CachedLayer) =>
    problem !== undefined || layer.isPrivate || nowMs - Date.parse(lastUsedAt) >= unusedForMs;
  const chosen: CachedLayer[] = [];
  let kept = [...layers].sort((a, b) => a.lastUsedAt.localeCompare(b.lastUsedAt));
  for (;;) {
    const isKept = (id: string) => kept.some(({ layer }) => layer.id === id);
    const free = kept.filter(({ users, children }) => users.length === 0 && !children.some(isKept));
    const next = free.find(isDue) ?? (totalBytes(kept) > keepBytes ? free[0] : undefined);
    if (next === undefined) return chosen;
    chosen.push(next);
    kept = kept.filter((listed) => listed !== next);
  }
}

function isAbandoned({ isMakerAlive, users, children }: UnfinishedLayer): boolean {
  return !isMakerAlive && users.length === 0 && children.length === 0;
}

/** Removes what was planned; what is used by now is left. */
export async function prune(plan: PrunePlan, services: Services): Promise<PrunePlan> {
  const layers: CachedLayer[] = [];
  const unfinished: UnfinishedLayer[] = [];
  for (const listed of plan.layers) {
    if (await removeUnused(listed.layer.id, 'vm cache prune', services)) layers.push(listed);
  }
  for (const listed of plan.unfinished) {
    if (await removeUnused(listed.id, 'vm cache prune', services)) unfinished.push(listed);
  }
  return { layers, unfinished };
}

export function totalBytes(listed: readonly { readonly sizeBytes: number }[]): number {
  return listed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
