import { MachinefileError, type Problem } from '../errors.ts';
import { inOrder } from '../machinefile/checking/problems.ts';
import { buildTree } from '../machinefile/reading/build-tree.ts';
import { parseFile } from '../machinefile/reading/parse.ts';
import type { MapTree, Tree } from '../machinefile/reading/tree.ts';
import { alternatives } from '../machinefile/suggest.ts';

/** The text of a YAML file of ours: a recipe, a catalog. */
export interface YamlSource {
  /** Absolute path. */
  readonly file: string;
  readonly yaml: string;
}

/** How one value is read. */
export interface Field<T> {
  /** For messages: “a text”. */
  readonly expected: string;
  /** Undefined where the value is not `expected`, or where something in it is wrong, which is added to `mistakes`. */
  readonly read: (tree: Tree, mistakes: Problem[]) => T | undefined;
  /** It may be left away. */
  readonly isOptional?: boolean;
}

/** How each key of a mapping is read. */
export type Fields<T> = { readonly [K in keyof T]: Field<T[K]> };

/** A file as a mapping, with its places, and what is wrong with it as YAML. @throws MachinefileError if it is none. */
export function readTree({ file, yaml }: YamlSource): {
  readonly tree: MapTree;
  readonly problems: readonly Problem[];
} {
  const parsed = parseFile(file, yaml);
  if (parsed.isBroken) throw new MachinefileError(parsed.problems);
  const { tree, problems, warnings } = buildTree(parsed, () => undefined);
  return { tree, problems: inOrder([...parsed.problems, ...problems, ...warnings], [file]) };
}

/** The values of a mapping; undefined where one is missing or wrong. What is wrong is added to `mistakes`. */
export function readFields<T extends object>(tree: MapTree, fields: Fields<T>, mistakes: Problem[]): T | undefined {
  const values: Partial<T> = {};
  for (const key in fields) {
    const field = fields[key];
    const value = tree.entries.get(key)?.value;
    const read = value && readValue(value, { key, field }, mistakes);
    if (read !== undefined) values[key] = read;
    if (value === undefined && !field.isOptional) {
      mistakes.push({ ...tree.position, message: `“${key}” is missing (it is ${field.expected})` });
    }
  }
  return isWhole(values, fields) ? values : undefined;
}

function readValue<T>(
  tree: Tree,
  { key, field }: { readonly key: string; readonly field: Field<T> },
  mistakes: Problem[],
): T | undefined {
  const mistakesBefore = mistakes.length;
  const read = field.read(tree, mistakes);
  if (read === undefined && mistakes.length === mistakesBefore) {
    mistakes.push({ ...tree.position, message: `“${key}” is wrong (it is ${field.expected})` });
  }
  return read;
}

function isWhole<T extends object>(values: Partial<T>, fields: Fields<T>): values is T {
  for (const key in fields) {
    if (values[key] === undefined && !fields[key].isOptional) return false;
  }
  return true;
}

export function findUnknownKeys(tree: MapTree, fields: object): Problem[] {
  const known = Object.keys(fields);
  return [...tree.entries]
    .filter(([key]) => !known.includes(key))
    .map(([key, { keyPosition }]) => ({ ...keyPosition, message: `unknown key “${key}”${alternatives(key, known)}` }));
}

export const text: Field<string> = { expected: 'a text', read: readText };
export const texts: Field<readonly string[]> = { expected: 'a list of texts', read: listOf(readText) };

/** A single value as it is written; undefined for an empty one. */
export function readText(tree: Tree): string | undefined {
  return tree.kind === 'scalar' && tree.value !== null && tree.source !== '' ? tree.source : undefined;
}

/** A text that can be taken for something else: a size, a URL. */
export function textAs<T>(parse: (text: string) => T | undefined, expected: string): Field<T> {
  return { expected, read: (tree) => parseText(tree, parse) };
}

export function textsAs<T>(parse: (text: string) => T | undefined, expected: string): Field<readonly T[]> {
  return { expected, read: listOf((tree) => parseText(tree, parse)) };
}

export function matching(pattern: RegExp, expected: string): Field<string> {
  return textAs((found) => (pattern.test(found) ? found : undefined), expected);
}

export function oneOf<T extends string>(allowed: readonly T[]): Field<T> {
  return textAs((found) => allowed.find((candidate) => candidate === found), `one of ${allowed.join(', ')}`);
}

export function optional<T>(field: Field<T>): Field<T | undefined> {
  return { ...field, isOptional: true };
}

/** A mapping with keys of its own. */
export function mapping<T extends object>(fields: Fields<T>, expected: string): Field<T> {
  return {
    expected,
    read(tree, mistakes) {
      if (tree.kind !== 'map') return undefined;
      mistakes.push(...findUnknownKeys(tree, fields));
      return readFields(tree, fields, mistakes);
    },
  };
}

/** What the keys of a mapping are that lists things by their names. */
export interface KeyKind<K extends string> {
  /** For messages: “the name of a box”. */
  readonly expected: string;
  readonly parse: (key: string) => K | undefined;
}

/** A mapping of names to values that are all alike; at least one. */
export function mapOf<K extends string, V>(
  keys: KeyKind<K>,
  values: Field<V>,
  expected: string,
): Field<ReadonlyMap<K, V>> {
  return {
    expected,
    read(tree, mistakes) {
      if (tree.kind !== 'map' || tree.entries.size === 0) return undefined;
      const found = new Map<K, V>();
      for (const [written, { keyPosition, value }] of tree.entries) {
        const key = keys.parse(written);
        if (key === undefined) mistakes.push({ ...keyPosition, message: `“${written}” is not ${keys.expected}` });
        const read = readValue(value, { key: written, field: values }, mistakes);
        if (key !== undefined && read !== undefined) found.set(key, read);
      }
      return found;
    },
  };
}

function parseText<T>(tree: Tree, parse: (text: string) => T | undefined): T | undefined {
  const found = readText(tree);
  return found === undefined ? undefined : parse(found);
}

function listOf<T>(readItem: (tree: Tree) => T | undefined): (tree: Tree) => readonly T[] | undefined {
  return (tree) => {
    const items = tree.kind === 'list' ? tree.items.map(readItem) : [undefined];
    return items.every((item) => item !== undefined) ? items : undefined;
  };
}
