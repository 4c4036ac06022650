import { type Alias, isAlias, isMap, isScalar, isSeq, type Node, type Scalar, type YAMLMap } from 'yaml';
import type { Problem } from '../../errors.ts';
import { interpolate, type VariableLookup } from './interpolate.ts';
import type { ParsedFile } from './parse.ts';
import { typePlainScalar } from './plain-scalar.ts';
import {
  type DataPath,
  type MapEntry,
  type MapTree,
  type Merging,
  type Position,
  pathInMachine,
  type Tree,
} from './tree.ts';
import { entriesOf, followAlias, linksOf, type YamlLinks } from './yaml-entries.ts';

export interface BuiltTree {
  readonly tree: MapTree;
  readonly problems: readonly Problem[];
  /** Variables that are not set. */
  readonly warnings: readonly Problem[];
}

/** Aliases can make a small file mean a huge one: these bound what it may mean. */
const MAX_VALUES = 20_000;
const MAX_DEPTH = 60;

/** `provision[].shell`, as text or as its `inline`. */
const SHELL_SCRIPT = /^provision\/\d+\/shell(\/inline)?$/;

interface Building {
  readonly parsed: ParsedFile;
  readonly lookup: VariableLookup;
  readonly links: YamlLinks;
  /** The collections around the one being built: an alias to one of them would never end. */
  readonly around: Set<Node>;
  readonly problems: Problem[];
  readonly warnings: Problem[];
  valueCount: number;
}

/** Turns a parsed file into a tree: follows aliases and merge keys, replaces variables. */
export function buildTree(parsed: ParsedFile, lookup: VariableLookup): BuiltTree {
  const { contents, document, file } = parsed;
  const start: Position = { file, line: 1, column: 1 };
  const building: Building = {
    parsed,
    lookup,
    links: linksOf(document),
    around: new Set(),
    problems: [],
    warnings: [],
    valueCount: 0,
  };
  const { problems, warnings } = building;
  const tree = build(building, contents, { path: [], keyPosition: start });
  if (tree.kind === 'map') return { tree, problems, warnings };
  if (tree.kind === 'list' || tree.value !== null) {
    problems.push({ ...tree.position, message: 'a Machinefile is a mapping of keys to values (such as “machines:”)' });
  }
  return { tree: { kind: 'map', entries: new Map(), position: start }, problems, warnings };
}

interface Place {
  readonly path: DataPath;
  /** Of the key that has the value: the place to name for values that have none of their own. */
  readonly keyPosition?: Position;
}

function build(building: Building, node: Node | null, place: Place): Tree {
  const position = positionOf(building, node, place);
  const nothing: Tree = { kind: 'scalar', value: null, source: '', position };
  if (node === null || !mayGoOn(building, { position, depth: place.path.length })) return nothing;
  if (isAlias(node)) return buildAlias(building, node, place.path) ?? nothing;
  if (isScalar(node)) return { ...buildScalar(building, node, place.path), position, ...mergingOf(node) };
  building.around.add(node);
  const tree: Tree = isMap(node)
    ? { kind: 'map', entries: buildEntries(building, node, place.path), position, ...mergingOf(node) }
    : { kind: 'list', items: buildItems(building, node, place.path), position, ...mergingOf(node) };
  building.around.delete(node);
  return tree;
}

function mayGoOn(building: Building, at: { readonly position: Position; readonly depth: number }): boolean {
  building.valueCount++;
  const isTooMuch = building.valueCount === MAX_VALUES;
  const message = isTooMuch
    ? `the aliases of this file stand for more than ${MAX_VALUES} values`
    : at.depth > MAX_DEPTH
      ? 'values are nested too deeply'
      : undefined;
  if (message !== undefined) building.problems.push({ ...at.position, message });
  return message === undefined && building.valueCount < MAX_VALUES;
}

function buildAlias(building: Building, alias: Alias, path: DataPath): Tree | undefined {
  const target = followAlias(alias, building.links);
  if (target && !building.around.has(target)) return build(building, target, { path });
  const message = target
    ? 'this alias stands inside the value it means'
    : `no anchor “&${alias.source}” stands above this alias`;
  building.problems.push({ ...positionOf(building, alias, { path }), message });
  return undefined;
}

/** Block collections and empty values are found at their key, the rest where they begin. */
function positionOf({ parsed }: Building, node: Node | null, { keyPosition }: Place): Position {
  const isEmpty = node === null || (isScalar(node) && node.value === null && node.source === '');
  const isBlock = (isMap(node) || isSeq(node)) && node.flow !== true;
  if ((isEmpty || isBlock) && keyPosition !== undefined) return keyPosition;
  return parsed.positionOf(node?.range?.[0] ?? 0);
}

function mergingOf(node: Node): { readonly merging?: Merging } {
  if (node.tag === '!override') return { merging: 'override' };
  return node.tag === '!reset' ? { merging: 'reset' } : {};
}

function buildItems(building: Building, node: Node, path: DataPath): Tree[] {
  const items = isSeq(node) ? (node.items as (Node | null)[]) : [];
  return items.map((item, index) => build(building, item, { path: [...path, index] }));
}

function buildEntries(building: Building, map: YAMLMap, path: DataPath): Map<string, MapEntry> {
  const { parsed, links, problems } = building;
  const { entries, mistakes } = entriesOf(map, links);
  for (const { node, message } of mistakes) problems.push({ ...positionOf(building, node, { path }), message });
  const built = new Map<string, MapEntry>();
  for (const [key, entry] of entries) {
    // Extensions are there for anchors: what is in them counts where it is used.
    if (path.length === 0 && key.startsWith('x-')) continue;
    const keyPosition = parsed.positionOf(entry.key.range?.[0] ?? 0);
    built.set(key, { keyPosition, value: build(building, entry.value, { path: [...path, key], keyPosition }) });
  }
  return built;
}

/** Variables are replaced, except in shell scripts; a plain value is then typed again, so `${CPUS:-2}` is a number. */
function buildScalar(building: Building, node: Scalar, path: DataPath) {
  const { value, type } = node;
  const written = typeof value === 'string' ? value : (node.source ?? String(value));
  const source =
    written.includes('$') && !SHELL_SCRIPT.test(pathInMachine(path))
      ? replaceVariables(building, node, written)
      : written;
  // A tag of ours makes yaml read a plain value as text.
  const isRetyped = type === 'PLAIN' && (node.tag === undefined ? source !== written : 'merging' in mergingOf(node));
  return { kind: 'scalar', value: isRetyped ? typePlainScalar(source) : untaggedValue(node, source), source } as const;
}

function untaggedValue({ value }: Scalar, source: string): string | number | boolean | null {
  return typeof value === 'number' || typeof value === 'boolean' || value === null ? value : source;
}

function replaceVariables(building: Building, node: Scalar, text: string): string {
  const { parsed, lookup, problems, warnings } = building;
  const result = interpolate(text, lookup);
  const [start = 0, end = 0] = node.range ?? [];
  let searchFrom = start;
  for (const { severity, message, expression } of result.issues) {
    // Quotes, escapes and folding move what is in a scalar: the expression is looked up in the text of the file.
    const found = parsed.text.indexOf(expression, searchFrom);
    const isInside = found >= 0 && found < end;
    if (isInside) searchFrom = found + 1;
    (severity === 'error' ? problems : warnings).push({ ...parsed.positionOf(isInside ? found : start), message });
  }
  return result.text;
}
