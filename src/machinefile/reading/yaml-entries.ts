import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  visit,
  type YAMLMap,
} from 'yaml';

/** How the nodes of a document hang together beside the tree they form. */
export interface YamlLinks {
  /** What each alias stands for. */
  readonly targets: ReadonlyMap<Alias, Node>;
  /** The entries of mappings already read: merge keys of merge keys would else be read again and again. */
  readonly known: Map<YAMLMap, YamlEntries>;
}

/** An anchor may be given anew: an alias means the last one before it. */
export function linksOf(document: Document): YamlLinks {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, {
    Alias(_, alias) {
      const target = anchors.get(alias.source);
      if (target !== undefined) targets.set(alias, target);
    },
    Value(_, node) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return { targets, known: new Map() };
}

/** The node itself, or what the alias stands for; undefined for an alias without anchor. */
export function followAlias(node: Node | null, links: YamlLinks): Node | null | undefined {
  return isAlias(node) ? links.targets.get(node) : node;
}

export interface YamlEntry {
  readonly key: Node;
  readonly value: Node | null;
}

export interface YamlEntries {
  readonly entries: ReadonlyMap<string, YamlEntry>;
  readonly mistakes: readonly YamlMistake[];
}

export interface YamlMistake {
  readonly node: Node;
  readonly message: string;
}

/**
 * The entries of a mapping, with those its merge keys (`<<`) bring. Its own win over merged ones, and the first merged
 * mapping over the next. Source: https://yaml.org/type/merge.html
 */
export function entriesOf(map: YAMLMap, links: YamlLinks, around: readonly YAMLMap[] = []): YamlEntries {
  const known = links.known.get(map) ?? readEntries(map, links, around);
  links.known.set(map, known);
  return known;
}

function readEntries(map: YAMLMap, links: YamlLinks, around: readonly YAMLMap[]): YamlEntries {
  const own = new Map<string, YamlEntry>();
  const merged = new Map<string, YamlEntry>();
  const mistakes: YamlMistake[] = [];
  for (const pair of map.items as Pair<Node, Node | null>[]) {
    const key = keyText(pair.key, links);
    if (isMergeKey(pair.key)) {
      const brought = mergedEntries(pair, links, [...around, map]);
      mistakes.push(...brought.mistakes);
      addMissing(merged, brought.entries);
    } else if (key === undefined || own.has(key)) {
      const message = key === undefined ? 'a key must be a text' : 'this key is given twice in the same mapping';
      mistakes.push({ node: pair.key, message });
    } else {
      own.set(key, pair);
    }
  }
  return { entries: new Map([...merged, ...own]), mistakes };
}

function isMergeKey(key: Node): boolean {
  return isScalar(key) && key.value === '<<' && key.type === 'PLAIN';
}

function keyText(key: Node, links: YamlLinks): string | undefined {
  const node = followAlias(key, links);
  if (!isScalar(node)) return undefined;
  return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
}

function mergedEntries(pair: Pair<Node, Node | null>, links: YamlLinks, around: readonly YAMLMap[]): YamlEntries {
  const value = followAlias(pair.value, links);
  const sources = isSeq(value) ? (value.items as Node[]) : [pair.value];
  const entries = new Map<string, YamlEntry>();
  const mistakes: YamlMistake[] = [];
  for (const source of sources) {
    const target = followAlias(source, links);
    if (isMap(target) && !around.includes(target)) {
      const brought = entriesOf(target, links, around);
      addMissing(entries, brought.entries);
      mistakes.push(...brought.mistakes);
    } else {
      mistakes.push({ node: source ?? pair.key, message: describeWrongMerge(target) });
    }
  }
  return { entries, mistakes };
}

function describeWrongMerge(target: Node | null | undefined): string {
  if (target === undefined) return 'no anchor of this name stands above this alias';
  return isMap(target) ? 'this alias stands inside the value it means' : '“<<” takes a mapping, or a list of mappings';
}

function addMissing(entries: Map<string, YamlEntry>, more: ReadonlyMap<string, YamlEntry>): void {
  for (const [key, entry] of more) if (!entries.has(key)) entries.set(key, entry);
}
