import { delimiter, dirname, join, resolve } from 'node:path';
import { UsageError } from '../errors.ts';
import { kindOfPath } from '../host/path-kind.ts';

export interface FindInput {
  /** Absolute. */
  readonly cwd: string;
  /** The values of `-f`; empty: VM_FILE, else the search. */
  readonly files: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The files a project is made of. */
export interface FoundMachinefiles {
  /** Absolute, in the order of merging; at least one. */
  readonly files: readonly string[];
  /** The folder of the first one. */
  readonly projectDir: string;
}

export const MACHINEFILE_NAMES = ['Machinefile', 'Machinefile.yaml', 'Machinefile.yml'] as const;
const OVERRIDE_NAMES = ['Machinefile.override.yaml', 'Machinefile.override.yml'] as const;

/**
 * Finds the files named by `-f` or VM_FILE; else a Machinefile in `cwd` or the nearest folder above, with its override
 * file. Undefined if there is none.
 * @throws UsageError if a named file does not exist.
 */
export async function findMachinefiles({ cwd, files, env }: FindInput): Promise<FoundMachinefiles | undefined> {
  if (files.length > 0) return namedFiles(cwd, files, '-f');
  const fromVariable = env.VM_FILE?.split(delimiter).filter((file) => file !== '') ?? [];
  return fromVariable.length > 0 ? namedFiles(cwd, fromVariable, 'VM_FILE') : searchUpward(resolve(cwd));
}

async function namedFiles(cwd: string, names: readonly string[], origin: string): Promise<FoundMachinefiles> {
  const files = names.map((name) => resolve(cwd, name));
  for (const file of files) {
    const kind = await kindOfPath(file);
    if (kind === 'file') continue;
    throw new UsageError(`${file}, given by ${origin}, ${kind === undefined ? 'does not exist' : 'is a folder'}`, {
      hint: `give ${origin} the path of a Machinefile`,
    });
  }
  return { files, projectDir: dirname(files[0] ?? cwd) };
}

async function searchUpward(dir: string): Promise<FoundMachinefiles | undefined> {
  const main = await firstFile(dir, MACHINEFILE_NAMES);
  if (main !== undefined) {
    const override = await firstFile(dir, OVERRIDE_NAMES);
    return { files: override === undefined ? [main] : [main, override], projectDir: dir };
  }
  const parent = dirname(dir);
  return parent === dir ? undefined : searchUpward(parent);
}

async function firstFile(dir: string, names: readonly string[]): Promise<string | undefined> {
  const paths = names.map((name) => join(dir, name));
  const kinds = await Promise.all(paths.map(kindOfPath));
  return paths.find((_, index) => kinds[index] === 'file');
}
