import { expect, test } from 'vitest';
import type { CachedLayer } from '../../../../src/operations/cache/cache.ts';
import { chooseLayers, DEFAULT_LIMITS } from '../../../../src/operations/cache/prune.ts';
import { layerFacts } from '../../../support/layers.ts';

const NOW = Date.parse('2026-06-01T00:00:00.000Z');
const DAY_MS = 86_400_000;
const GIB = 2 ** 30;
const user = { projectDir: '/srv/shop', machine: 'web' };
const NONE = { unusedForMs: undefined, keepBytes: undefined };

interface Wanted {
  readonly id: string;
  readonly base?: string;
  readonly daysAgo?: number;
  readonly sizeBytes?: number;
  readonly used?: boolean;
  readonly problem?: string;
  readonly isPrivate?: true;
}

function cacheOf(...wanted: readonly Wanted[]): { readonly layers: readonly CachedLayer[] } {
  const layers = wanted.map(({ id, base, daysAgo = 0, sizeBytes = GIB, used = false, problem, isPrivate }) => ({
    layer: { ...layerFacts({ baseId: base }), id, disks: [], ...(isPrivate && { isPrivate }) },
    sizeBytes,
    lastUsedAt: new Date(NOW - daysAgo * DAY_MS).toISOString(),
    problem,
    users: used ? [user] : [],
    children: wanted.filter((other) => other.base === id).map((other) => other.id),
    box: undefined,
  }));
  return { layers };
}

const chosen = (cache: ReturnType<typeof cacheOf>, limits: Parameters<typeof chooseLayers>[1]) =>
  chooseLayers(cache, limits, NOW).map(({ layer }) => layer.id);

test('by default those that were not used for 30 days', () => {
  const cache = cacheOf({ id: 'a', daysAgo: 29 }, { id: 'b', daysAgo: 30 }, { id: 'c', daysAgo: 31, used: true });
  expect(chosen(cache, DEFAULT_LIMITS)).toEqual(['b']);
});

test('by default, beyond 20 GiB, the least recently used', () => {
  const big = (id: string, daysAgo: number) => ({ id, daysAgo, sizeBytes: 8 * GIB });
  expect(chosen(cacheOf(big('a', 1), big('b', 3), big('c', 2)), DEFAULT_LIMITS)).toEqual(['b']);
  expect(chosen(cacheOf(big('a', 1), { ...big('b', 3), used: true }, big('c', 2)), DEFAULT_LIMITS)).toEqual(['c']);
});

test('what is in use counts as a part of the size', () => {
  const cache = cacheOf({ id: 'a', used: true, sizeBytes: 30 * GIB }, { id: 'b', sizeBytes: 1 });
  expect(chosen(cache, DEFAULT_LIMITS)).toEqual(['b']);
});

test('children come before what they stand on, which stays as long as one of them does', () => {
  const chain = [
    { id: 'a', daysAgo: 90 },
    { id: 'b', base: 'a', daysAgo: 60 },
    { id: 'c', base: 'b', daysAgo: 40 },
  ];
  expect(chosen(cacheOf(...chain), DEFAULT_LIMITS)).toEqual(['c', 'b', 'a']);
  expect(chosen(cacheOf(...chain, { id: 'd', base: 'b', daysAgo: 1 }), DEFAULT_LIMITS)).toEqual(['c']);
  expect(chosen(cacheOf(...chain, { id: 'd', base: 'c', daysAgo: 90, used: true }), DEFAULT_LIMITS)).toEqual([]);
});

test('damaged ones go whatever the limits are, unless a machine stands on them', () => {
  const cache = cacheOf({ id: 'a', problem: 'gone' }, { id: 'b', problem: 'gone', used: true }, { id: 'c' });
  expect(chosen(cache, NONE)).toEqual(['a']);
});

test('all: also what seems to be used in the future', () => {
  const limits = { unusedForMs: Number.NEGATIVE_INFINITY, keepBytes: undefined };
  expect(chosen(cacheOf({ id: 'a', daysAgo: -1, sizeBytes: 0 }, { id: 'b', used: true }), limits)).toEqual(['a']);
});

test('without a limit nothing goes', () => {
  expect(chosen(cacheOf({ id: 'a', daysAgo: 999, sizeBytes: 99 * GIB }), NONE)).toEqual([]);
});

test('those of clones, as soon as neither these nor the machine are there', () => {
  const cache = cacheOf(
    { id: 'a', isPrivate: true },
    { id: 'b', base: 'a', isPrivate: true },
    { id: 'c', isPrivate: true, used: true },
  );
  expect(chosen(cache, NONE)).toEqual(['b', 'a']);
});
