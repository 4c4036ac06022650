import { join } from 'node:path';
import { type Problem, VmError } from '../../errors.ts';
import { readTextIfExists } from '../../host/files.ts';
import { kindOfPath } from '../../host/path-kind.ts';
import type { FoundMachinefiles } from '../find.ts';
import { keepAsWritten } from './as-written.ts';
import { buildTree } from './build-tree.ts';
import { type Dotenv, parseDotenv } from './dotenv.ts';
import type { VariableLookup } from './interpolate.ts';
import { mergeMaps } from './merge.ts';
import { parseFile } from './parse.ts';
import type { MapTree } from './tree.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface ReadMachinefiles {
  /** All files merged; absent where one is not YAML: what it lacks then would only be noise. */
  readonly tree: MapTree | undefined;
  readonly warnings: readonly Problem[];
  readonly problems: readonly Problem[];
}

/** Reads the files, and `.env` beside the first; replaces variables (the environment wins over `.env`) and merges. */
export async function readMachinefiles(found: FoundMachinefiles, env: Environment): Promise<ReadMachinefiles> {
  const dotenv = await readDotenv(found.projectDir, env);
  const lookup: VariableLookup = (name) => env[name] ?? dotenv.variables.get(name);
  const read = await Promise.all(found.files.map((file) => readMachinefile(file, lookup)));
  const trees = read.flatMap(({ tree }) => (tree === undefined ? [] : [tree]));
  const [first, ...others] = trees;
  const isWhole = first !== undefined && trees.length === found.files.length;
  return {
    tree: isWhole ? keepAsWritten(others.reduce(mergeMaps, first)) : undefined,
    warnings: [...dotenv.warnings, ...read.flatMap(({ warnings }) => warnings)],
    problems: [...dotenv.problems, ...read.flatMap(({ problems }) => problems)],
  };
}

/** A folder called `.env`, as Python's may be, is none of ours. */
async function readDotenv(projectDir: string, env: Environment): Promise<Dotenv> {
  const file = join(projectDir, '.env');
  const text = (await kindOfPath(file)) === 'file' ? await readText(file) : '';
  return parseDotenv(file, text, (name) => env[name]);
}

async function readMachinefile(file: string, lookup: VariableLookup): Promise<ReadMachinefiles> {
  const parsed = parseFile(file, await readText(file));
  if (parsed.isBroken) return { tree: undefined, warnings: [], problems: parsed.problems };
  const { tree, warnings, problems } = buildTree(parsed, lookup);
  return { tree, warnings, problems: [...parsed.problems, ...problems] };
}

/** @throws VmError for a file that cannot be read. */
export async function readText(file: string): Promise<string> {
  const text = await readTextIfExists(file).catch((cause: unknown) => {
    throw new VmError(`cannot read ${file}`, { cause, hint: 'check its permissions' });
  });
  if (text === undefined) throw new VmError(`cannot read ${file}: it is gone`);
  return text;
}
