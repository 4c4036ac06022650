import { MachinefileError } from '../errors.ts';
import type { MapEntry, MapTree, Tree } from '../machinefile/reading/tree.ts';
import type { Arch } from '../machinefile/spec.ts';
import { parseSize } from '../machinefile/units.ts';
import type { SeedKind } from './box.ts';
import {
  type Fields,
  findUnknownKeys,
  matching,
  oneOf,
  optional,
  readFields,
  readText,
  readTree,
  text,
  textAs,
  texts,
  type YamlSource,
} from './yaml-fields.ts';

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
  /** The folder of the recipe it has the rest from. */
  readonly like: string | undefined;
}

const FIELDS: Fields<RecipeText> = {
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
  disk: textAs(parseSize, 'a size such as 10GiB'),
  command_line: text,
  initramfs_modules: texts,
  like: optional(text),
};

/** Keys that no recipe has from another: what it is called. */
const OWN_KEYS = ['name', 'version', 'description'];

/**
 * Reads the text of a recipe.yaml. What it does not say it has from the recipe it is like.
 * @param others the recipes there are, by folder.
 * @throws MachinefileError with every mistake at once.
 */
export function parseRecipe(source: YamlSource, others: ReadonlyMap<string, YamlSource>): RecipeText {
  const { tree, problems } = readTree(source);
  const entries = new Map([...findBase(tree, others), ...tree.entries]);
  const mistakes = [...problems, ...findUnknownKeys(tree, FIELDS)];
  const recipe = readFields({ ...tree, entries }, FIELDS, mistakes);
  if (recipe === undefined || mistakes.length > 0) throw new MachinefileError(mistakes);
  return recipe;
}

/** What this recipe has from the one that it is like. */
function findBase(
  tree: MapTree,
  others: ReadonlyMap<string, YamlSource>,
): Iterable<readonly [key: string, entry: MapEntry]> {
  const like = tree.entries.get('like')?.value;
  if (like === undefined) return [];
  const source = others.get(readText(like) ?? '');
  const base = source && readTree(source).tree;
  if (base === undefined || base.entries.has('like')) {
    const message = '“like” is wrong (it is the folder of a recipe that is not itself like another)';
    throw new MachinefileError([{ ...like.position, message }]);
  }
  return [...base.entries].filter(([key]) => !OWN_KEYS.includes(key));
}

function readReasons(tree: Tree): Readonly<Record<string, string>> | undefined {
  if (tree.kind !== 'map') return undefined;
  const reasons = [...tree.entries].map(([name, { value }]) => [name, readText(value)] as const);
  return reasons.every(([, reason]) => reason !== undefined)
    ? Object.fromEntries(reasons.map(([name, reason]) => [name, String(reason)]))
    : undefined;
}
