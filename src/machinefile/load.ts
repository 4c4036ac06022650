import { MachinefileError, type Problem, UsageError } from '../errors.ts';
import { checkTree } from './checking/check.ts';
import { neededFilesOf } from './checking/host-files.ts';
import { inOrder, onLinesOf, onOtherLines } from './checking/problems.ts';
import type { HostFacts } from './checking/unbuilt.ts';
import { type FindInput, type FoundMachinefiles, findMachinefiles } from './find.ts';
import { type ReadMachinefiles, readMachinefiles, readText } from './reading/read.ts';
import type { CountReplicas } from './replicas.ts';
import { resolveProject } from './resolving/resolve.ts';
import { resolveContext } from './resolving/resolve-context.ts';
import type { Source } from './source.ts';
import type { ProjectSpec } from './spec.ts';

export interface LoadInput extends FindInput, HostFacts {
  /** The user's home folder, for `~`. */
  readonly homeDir: string;
  /** How many replicas there are to be. Default: as many as declared. */
  readonly countReplicas?: CountReplicas;
}

export interface LoadedProject {
  readonly project: ProjectSpec;
  /** What works but is probably not meant, such as variables that are not set. */
  readonly warnings: readonly Problem[];
  /** The Machinefiles it was read from, absolute, in the order of merging. */
  readonly files: readonly string[];
}

/**
 * Finds, reads, checks and resolves the Machinefile.
 * @throws UsageError if there is none; MachinefileError with every mistake at once.
 */
export async function loadProject(input: LoadInput): Promise<LoadedProject> {
  const found = await findMachinefiles(input);
  if (found !== undefined) return loadFound(found, input);
  throw new UsageError(`no Machinefile in ${input.cwd} or above`, {
    hint: 'run `vm init` to write one, or give one with -f',
  });
}

/**
 * Reads, checks and resolves files that are found already.
 * @throws MachinefileError with every mistake at once.
 */
export async function loadFound(found: FoundMachinefiles, input: LoadInput): Promise<LoadedProject> {
  return loadRead(found, await readMachinefiles(found, input.env), input);
}

/**
 * Checks and resolves what was read.
 * @throws MachinefileError with every mistake at once.
 */
export async function loadRead(
  { files, projectDir }: FoundMachinefiles,
  { tree, warnings, problems }: ReadMachinefiles,
  input: LoadInput,
): Promise<LoadedProject> {
  if (tree === undefined) throw new MachinefileError(inOrder(problems, files));
  const { source, problems: mistakes } = await checkTree(tree, input);
  const all = [...problems, ...onOtherLines(mistakes, problems)];
  if (all.length > 0 || source === undefined) {
    // A variable that is not set may be what made its value wrong.
    throw new MachinefileError(inOrder([...all, ...onLinesOf(warnings, all)], files));
  }
  const context = resolveContext({ ...input, source, projectDir, texts: await readTexts(source, input.homeDir) });
  return { project: resolveProject(context), warnings: inOrder(warnings, files), files };
}

/** The content of the files that become part of the spec. */
async function readTexts(source: Source, homeDir: string): Promise<ReadonlyMap<string, string>> {
  const files = neededFilesOf(source, homeDir).filter(({ path }) => path[2] === 'cloud_init');
  const texts = await Promise.all(
    files.map(async ({ hostPath }): Promise<[string, string]> => [hostPath, await readText(hostPath)]),
  );
  return new Map(texts);
}
