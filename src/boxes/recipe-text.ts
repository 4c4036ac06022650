import { MachinefileError, type Problem } from '../errors.ts';
import { buildTree } from '../machinefile/reading/build-tree.ts';
import { parseFile } from '../machinefile/reading/parse.ts';
import type { MapTree, Tree } from '../machinefile/reading/tree.ts';
import type { Arch } from '../machinefile/spec.ts';
import { alternatives } from '../machinefile/suggest.ts';
import { parseSize } from '../machinefile/units.ts';
import type { SeedKind } from './box.ts';

/** Which of Debian's packages come without being named: mmdebstrap(1), VARIANTS. */
export type Variant = 'extract' | 'essential' | 'apt' | 'minbase' | 'standard';

/** What a recipe.yaml says; boxes/README.md explains each key. */
export interface RecipeText {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly arch: Arch;
  readonly suite: string;
  readonly variant: Variant;
  /** Lines of a sources.list. */
  readonly sources: readonly string[];
  /** Packages, each with the reason it is there. */
  readonly packages: Readonly<Record<string, string>>;
  readonly user: string;
  readonly seed: SeedKind;
  /** Virtual size of the disk in bytes. */
  readonly disk: number;
  /** The kernel's. */
  readonly command_line: string;
  /** Kernel modules loaded before the root filesystem is mounted. */
  readonly initramfs_modules: readonly string[];
}

/** How one key is read: undefined means that the value is not `expected`. */
interface Field<T> {
  readonly expected: string;
  readonly read: (tree: Tree) => T | undefined;
}

const text: Field<string> = { expected: 'a text', read: readText };
const texts: Field<readonly string[]> = { expected: 'a list of texts', read: readTexts };

const FIELDS: { readonly [K in keyof RecipeText]: Field<RecipeText[K]> } = {
  name: matching(/^[a-z0-9][a-z0-9.-]*(\/[a-z0-9][a-z0-9.-]*)*$/, 'a name such as debian/12'),
  version: matching(/^\d+\.\d+\.\d+$/, 'a version such as 1.0.0, in quotes if it looks like a number'),
  description: text,
  arch: oneOf(['x86_64']),
  suite: matching(/^[a-z][a-z-]*$/, 'the name of a Debian release, such as bookworm'),
  variant: oneOf(['extract', 'essential', 'apt', 'minbase', 'standard']),
  sources: texts,
  packages: { expected: 'a mapping of packages to the reason each is there', read: readReasons },
  user: matching(/^[a-z_][a-z0-9_-]*$/, 'the name of a user'),
  seed: oneOf(['machinefile', 'cloud-init']),
  disk: { expected: 'a size such as 10GiB', read: readSize },
  command_line: text,
  initramfs_modules: texts,
};

/**
 * Reads the text of a recipe.yaml.
 * @throws MachinefileError with every mistake at once.
 */
export function parseRecipe(file: string, yaml: string): RecipeText {
  const parsed = parseFile(file, yaml);
  if (parsed.isBroken) throw new MachinefileError(parsed.problems);
  const { tree, problems, warnings } = buildTree(parsed, () => undefined);
  const values = new Map<string, unknown>();
  const mistakes = [...parsed.problems, ...problems, ...warnings, ...findUnknownKeys(tree)];
  for (const [key, field] of Object.entries(FIELDS)) {
    const value = tree.entries.get(key)?.value;
    const read = value && field.read(value);
    const what = value === undefined ? `“${key}” is missing` : `“${key}” is wrong`;
    if (read === undefined)
      mistakes.push({ ...(value ?? tree).position, message: `${what} (it is ${field.expected})` });
    values.set(key, read);
  }
  if (mistakes.length > 0) throw new MachinefileError(mistakes);
  return Object.fromEntries(values) as unknown as RecipeText; // every key of FIELDS was read by its field
}

function findUnknownKeys(tree: MapTree): Problem[] {
  const known = Object.keys(FIELDS);
  return [...tree.entries]
    .filter(([key]) => !known.includes(key))
    .map(([key, { keyPosition }]) => ({ ...keyPosition, message: `unknown key “${key}”${alternatives(key, known)}` }));
}

function readText(tree: Tree): string | undefined {
  return tree.kind === 'scalar' && tree.value !== null && tree.source !== '' ? tree.source : undefined;
}

function readTexts(tree: Tree): readonly string[] | undefined {
  const items = tree.kind === 'list' ? tree.items.map(readText) : [undefined];
  return items.every((item) => item !== undefined) ? items : undefined;
}

function readReasons(tree: Tree): Readonly<Record<string, string>> | undefined {
  if (tree.kind !== 'map') return undefined;
  const reasons = [...tree.entries].map(([name, { value }]) => [name, readText(value)] as const);
  return reasons.every(([, reason]) => reason !== undefined)
    ? Object.fromEntries(reasons.map(([name, reason]) => [name, String(reason)]))
    : undefined;
}

function readSize(tree: Tree): number | undefined {
  const size = readText(tree);
  return size === undefined ? undefined : parseSize(size);
}

function matching(pattern: RegExp, expected: string): Field<string> {
  const read = (tree: Tree) => {
    const found = readText(tree);
    return found !== undefined && pattern.test(found) ? found : undefined;
  };
  return { expected, read };
}

function oneOf<T extends string>(allowed: readonly T[]): Field<T> {
  const read = (tree: Tree) => allowed.find((candidate) => candidate === readText(tree));
  return { expected: `one of ${allowed.join(', ')}`, read };
}
