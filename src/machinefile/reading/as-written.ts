import { type DataPath, type MapEntry, type MapTree, pathInMachine, type Tree } from './tree.ts';

const TEXTS =
  /^(environment\/[^/]+|provision\/\d+\/shell\/(env|args)\/[^/]+|(qemu\/args|ssh\/extra_args|sync\/\d+\/args)\/\d+|hooks\/[^/]+\/\d+\/\d+|sync\/\d+\/(owner|group)|box\/version)$/;

/**
 * Numbers that stand for texts become the texts they were written as, so that `VERSION: 1.10` is not 1.1: variables,
 * arguments, versions, and owners.
 */
export function keepAsWritten(tree: MapTree): MapTree {
  return keep(tree, []) as MapTree; // a map stays a map
}

function keep(tree: Tree, path: DataPath): Tree {
  if (tree.kind === 'scalar') {
    const isUnquoted = typeof tree.value === 'number' || typeof tree.value === 'boolean';
    return isUnquoted && TEXTS.test(pathInMachine(path)) ? { ...tree, value: tree.source } : tree;
  }
  if (tree.kind === 'list') return { ...tree, items: tree.items.map((item, index) => keep(item, [...path, index])) };
  const entries = [...tree.entries].map(([key, entry]): [string, MapEntry] => [
    key,
    { ...entry, value: keep(entry.value, [...path, key]) },
  ]);
  return { ...tree, entries: new Map(entries) };
}
