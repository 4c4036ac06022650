import type { MapEntry, MapTree, Tree } from './tree.ts';

/**
 * Puts `over` on top of `base`: mappings merge deep, lists append, other values replace. In `over`, `!override` replaces
 * the whole value and `!reset` takes it away. The tags stay on the result, so that a machine's also hold against
 * `defaults`; `dropResets` ends that.
 */
export function mergeTrees(base: Tree, over: Tree): Tree {
  if (over.merging !== undefined || base.merging === 'reset') return keepingTag(base, over);
  if (base.kind === 'list' && over.kind === 'list') return { ...base, items: [...base.items, ...over.items] };
  if (base.kind === 'map' && over.kind === 'map') return mergeMaps(base, over);
  return isAbsent(over) && base.kind === 'map' ? base : over;
}

/** An empty value over a mapping changes nothing: `web:` takes all of its defaults. */
function isAbsent(tree: Tree): boolean {
  return tree.kind === 'scalar' && tree.value === null;
}

/** What stands over a `!reset` value hides whatever lies below that one, as if it were `!override`. */
function keepingTag(base: Tree, over: Tree): Tree {
  return base.merging === 'reset' && over.merging === undefined ? { ...over, merging: 'override' } : over;
}

/** The mapping is found where the upper one is: the place to look at when a whole is wrong. */
export function mergeMaps(base: MapTree, over: MapTree): MapTree {
  const entries = new Map<string, MapEntry>(base.entries);
  for (const [key, entry] of over.entries) {
    const below = base.entries.get(key);
    entries.set(key, below === undefined ? entry : { ...entry, value: mergeTrees(below.value, entry.value) });
  }
  const putAside = new Set([...(base.putAside ?? []), ...(over.putAside ?? [])]);
  return { ...over, entries, putAside, ...(base.merging !== undefined && { merging: base.merging }) };
}

/** Takes away the keys whose value is marked with `!reset`. */
export function dropResets<T extends Tree>(tree: T): T {
  return dropBelow(tree) as T; // the kind does not change
}

function dropBelow(tree: Tree): Tree {
  if (tree.kind === 'scalar') return tree;
  if (tree.kind === 'list') return { ...tree, items: tree.items.map(dropBelow) };
  const kept = [...tree.entries].filter(([, { value }]) => value.merging !== 'reset');
  return { ...tree, entries: new Map(kept.map(([key, entry]) => [key, { ...entry, value: dropBelow(entry.value) }])) };
}
