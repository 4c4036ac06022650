import { dirname } from 'node:path';
import { MachinefileError, type Problem } from '../errors.ts';
import { kindOfPath } from '../host/path-kind.ts';
import { isBoxName } from './forms/box.ts';
import { type LoadInput, loadRead } from './load.ts';
import { readMachinefiles } from './reading/read.ts';
import { type MapEntry, type MapTree, positionAt, type Tree } from './reading/tree.ts';
import type { BoxReference, MachineSpec } from './spec.ts';
import { alternatives } from './suggest.ts';
import { isVersion } from './versions.ts';

/** How a user makes a box: another box, and what is done in a machine that stands on it. */
export interface BoxRecipe {
  readonly name: string;
  readonly version: string;
  readonly box: BoxReference;
  /** The machine that becomes the box. */
  readonly machine: MachineSpec;
}

export interface LoadedBoxRecipe {
  readonly recipe: BoxRecipe;
  readonly warnings: readonly Problem[];
}

/** What a machine is asked for that is only there to become a box. */
const MACHINE_KEYS = [
  'accel',
  'boot_timeout',
  'box',
  'cloud_init',
  'cpus',
  'disk',
  'firmware',
  'halt_timeout',
  'memory',
  'provision',
] as const;
const KEYS = ['name', 'version', ...MACHINE_KEYS];

const DEFAULT_VERSION = '0';

/**
 * Reads a recipe: `name`, `version`, and keys of a machine in a Machinefile, which mean the same here.
 * @throws MachinefileError with every mistake at once.
 */
export async function loadBoxRecipe(file: string, input: Omit<LoadInput, 'files'>): Promise<LoadedBoxRecipe> {
  const found = { files: [file], projectDir: dirname(file) };
  if ((await kindOfPath(file)) !== 'file')
    throw new MachinefileError([{ file, line: 1, column: 1, message: 'there is no such file' }]);
  const read = await readMachinefiles(found, input.env);
  const { tree } = read;
  const problems = [...read.problems, ...(tree === undefined ? [] : findMistakes(tree))];
  const name = tree && textAt(tree, 'name');
  const machineName = machineNameOf(name ?? '');
  const wrapped = tree && asMachinefile(tree, machineName);
  const { project, warnings } = await loadRead(
    found,
    { ...read, problems, tree: wrapped },
    { ...input, files: [file] },
  );
  const [machine] = project.machines;
  if (tree === undefined || name === undefined || machine?.box === undefined) {
    throw new Error('findMistakes lets pass what is whole');
  }
  if (machine.box.kind === 'name' && machine.box.name === name) {
    const message = `the box is made of itself: each build would stand on the one before (give “name” or “box” another)`;
    throw new MachinefileError([{ ...positionAt(tree, ['box']), message }]);
  }
  const version = textAt(tree, 'version') ?? DEFAULT_VERSION;
  return { recipe: { name, version, box: machine.box, machine }, warnings };
}

function findMistakes(tree: MapTree): Problem[] {
  const problems: Problem[] = [];
  for (const [key, { keyPosition }] of tree.entries) {
    if (!KEYS.includes(key)) {
      problems.push({ ...keyPosition, message: `unknown key “${key}” in a box's recipe${alternatives(key, KEYS)}` });
    }
  }
  for (const key of ['name', 'box']) {
    if (!tree.entries.has(key)) problems.push({ ...tree.position, message: `“${key}” is missing` });
  }
  const check = (key: string, isRight: (text: string) => boolean, expected: string) => {
    const value = tree.entries.get(key)?.value;
    const text = value && textOf(value);
    if (value !== undefined && (text === undefined || !isRight(text))) {
      problems.push({ ...value.position, message: `“${key}” is wrong (it is ${expected})` });
    }
  };
  check('name', isBoxName, 'a name such as team/app');
  check('version', isVersion, 'a version such as 1.0.0');
  return problems;
}

function textOf(tree: Tree): string | undefined {
  return tree.kind === 'scalar' && tree.value !== null ? tree.source : undefined;
}

function textAt(tree: MapTree, key: string): string | undefined {
  const value = tree.entries.get(key)?.value;
  return value && textOf(value);
}

/** `team/app` is made in a machine called `app`. */
function machineNameOf(boxName: string): string {
  const name = boxName.split('/').at(-1)?.replaceAll(/[._]+/g, '-') ?? '';
  return /^[a-z][a-z0-9-]{0,61}[a-z0-9]$/.test(name) ? name : 'box';
}

/** Every value stays where it was written. */
function asMachinefile(tree: MapTree, machineName: string): MapTree {
  const { position } = tree;
  const entries = [...tree.entries].filter(([key]) => MACHINE_KEYS.some((known) => known === key));
  const asEntry = (value: Tree): MapEntry => ({ keyPosition: position, value });
  const machine: MapTree = { kind: 'map', entries: new Map(entries), position };
  const machines: MapTree = { kind: 'map', entries: new Map([[machineName, asEntry(machine)]]), position };
  return { kind: 'map', entries: new Map([['machines', asEntry(machines)]]), position };
}
