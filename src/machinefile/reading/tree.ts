/** A place in a file, where a text editor can jump to. */
export interface Position {
  /** Absolute path. */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
}

export type DataPath = readonly (string | number)[];

/**
 * A Machinefile's values, each with the place it was written at. Aliases and merge keys are followed, variables are
 * replaced. It is merged, checked and turned into data; a value keeps its place through all of that.
 */
export type Tree = ScalarTree | ListTree | MapTree;

export interface ScalarTree {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  /** As written, variables replaced: `1.10` where the value is 1.1. */
  readonly source: string;
  readonly position: Position;
  readonly merging?: Merging;
}

export interface ListTree {
  readonly kind: 'list';
  readonly items: readonly Tree[];
  readonly position: Position;
  readonly merging?: Merging;
}

export interface MapTree {
  readonly kind: 'map';
  readonly entries: ReadonlyMap<string, MapEntry>;
  /** Keys that were given, but whose entries were taken out because they are wrong. */
  readonly putAside?: ReadonlySet<string>;
  readonly position: Position;
  readonly merging?: Merging;
}

export interface MapEntry {
  readonly keyPosition: Position;
  readonly value: Tree;
}

/** What the tags `!override` (replace, do not merge) and `!reset` (as if not given) ask for. */
export type Merging = 'override' | 'reset';

export type Data = string | number | boolean | null | Data[] | { [key: string]: Data };

/** The values without their places. */
export function toData(tree: Tree): Data {
  switch (tree.kind) {
    case 'scalar':
      return tree.value;
    case 'list':
      return tree.items.map(toData);
    case 'map':
      // fromEntries defines its keys, so that one called __proto__ is a key like any other.
      return Object.fromEntries([...tree.entries].map(([key, { value }]) => [key, toData(value)]));
  }
}

/** The value at a path; undefined if there is none. */
export function treeAt(tree: Tree, path: DataPath): Tree | undefined {
  let current: Tree | undefined = tree;
  for (const key of path) current = current && childOf(current, key);
  return current;
}

function childOf(tree: Tree, key: string | number): Tree | undefined {
  if (tree.kind === 'map') return tree.entries.get(String(key))?.value;
  return tree.kind === 'list' ? tree.items[Number(key)] : undefined;
}

/** Where the value at a path is written; for a path that does not exist, what is there of it. */
export function positionAt(tree: Tree, path: DataPath): Position {
  for (let length = path.length; length > 0; length--) {
    const found = treeAt(tree, path.slice(0, length));
    if (found !== undefined) return found.position;
  }
  return tree.position;
}

/** Where the last key of a path is written; for a place in a list, the value's. */
export function keyPositionAt(tree: Tree, path: DataPath): Position {
  const parent = treeAt(tree, path.slice(0, -1));
  const key = path.at(-1);
  const entry = parent?.kind === 'map' && key !== undefined ? parent.entries.get(String(key)) : undefined;
  return entry?.keyPosition ?? positionAt(tree, path);
}

/** Whether there is a value, be it one that was put aside. */
export function isGivenAt(tree: Tree, path: DataPath): boolean {
  if (treeAt(tree, path) !== undefined) return true;
  const parent = treeAt(tree, path.slice(0, -1));
  return parent?.kind === 'map' && (parent.putAside?.has(String(path.at(-1))) ?? false);
}

/** The tree without the values at `paths`, which are put aside. */
export function without(tree: MapTree, paths: readonly DataPath[]): MapTree {
  return prune(tree, paths) as MapTree; // a map stays a map
}

function prune(tree: Tree, paths: readonly DataPath[]): Tree {
  if (paths.length === 0 || tree.kind === 'scalar') return tree;
  const pathsBelow = (key: string | number) =>
    paths.filter(([first]) => String(first) === String(key)).map((path) => path.slice(1));
  const isDropped = (key: string | number) => pathsBelow(key).some((path) => path.length === 0);
  if (tree.kind === 'list') {
    const kept = tree.items.map((item, index) => ({ item, index })).filter(({ index }) => !isDropped(index));
    return { ...tree, items: kept.map(({ item, index }) => prune(item, pathsBelow(index))) };
  }
  const kept = [...tree.entries].filter(([key]) => !isDropped(key));
  const pruned = kept.map(([key, entry]): [string, MapEntry] => [
    key,
    { ...entry, value: prune(entry.value, pathsBelow(key)) },
  ]);
  const dropped = [...tree.entries.keys()].filter(isDropped);
  return { ...tree, entries: new Map(pruned), putAside: new Set([...(tree.putAside ?? []), ...dropped]) };
}

/** The keys of a path below a machine or `defaults`, as `provision/0/shell`; empty for what is in neither. */
export function pathInMachine(path: DataPath): string {
  const start = path[0] === 'defaults' ? 1 : path[0] === 'machines' ? 2 : path.length;
  return path.slice(start).join('/');
}
