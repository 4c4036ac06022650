import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { MachinefileError } from '../../../src/errors.ts';
import { type LoadedProject, type LoadInput, loadProject } from '../../../src/machinefile/load.ts';

/** Names and contents; a name that ends with a slash is a folder. */
export type Files = Readonly<Record<string, string>>;

export type LoadOptions = Partial<Omit<LoadInput, 'cwd'>>;

/** Runs `work` in a folder with these files, then removes it. */
export async function inFolder<T>(files: Files, work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'vm-machinefile-')));
  try {
    for (const [name, content] of Object.entries(files)) {
      const path = join(dir, name);
      await mkdir(name.endsWith('/') ? path : dirname(path), { recursive: true });
      if (!name.endsWith('/')) await writeFile(path, content);
    }
    return await work(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

export function loadInput(dir: string, options: LoadOptions = {}): LoadInput {
  return { cwd: dir, files: [], env: {}, homeDir: join(dir, 'home'), arch: 'x86_64', platform: 'linux', ...options };
}

/** Loads the project in these files; paths in the result begin at `/project`. */
export function loadFiles(files: Files, options?: LoadOptions): Promise<LoadedProject> {
  return inFolder(files, async (dir) => {
    const loaded = await loadProject(loadInput(dir, options));
    return JSON.parse(JSON.stringify(loaded).replaceAll(dir, '/project'));
  });
}

/** The problems of these files, as `Machinefile:3:5: what is wrong`; none if they load. */
export function problemsOf(files: Files | string, options?: LoadOptions): Promise<string[]> {
  const named = typeof files === 'string' ? { Machinefile: files } : files;
  return inFolder(named, async (dir) => {
    try {
      await loadProject(loadInput(dir, options));
      return [];
    } catch (error) {
      if (!(error instanceof MachinefileError)) throw error;
      return error.problems.map(({ file, line, column, message }) =>
        `${file}:${line}:${column}: ${message}`.replaceAll(`${dir}/`, ''),
      );
    }
  });
}

/** Loads one machine, called `m`, from the lines of its settings. */
export async function loadMachine(settings: string, files: Files = {}) {
  const { project } = await loadFiles({ Machinefile: machinefile(settings), ...files });
  const [machine] = project.machines;
  if (machine === undefined) throw new Error('the Machinefile has no machine');
  return machine;
}

/** A Machinefile with one machine, `m`; its settings begin at line 3, column 5. */
export function machinefile(settings: string): string {
  const lines = settings.split('\n').map((line) => `    ${line}`);
  return `machines:\n  m:\n${lines.join('\n')}\n`;
}

/** What the tests of problems may name. */
const NAMED_FILES: Files = { 's.sh': '', 'f/': '', 'b.qcow2': '', 'i.iso': '' };

/** The problems of one machine; its settings begin at line 3, column 5. */
export const inMachine = (settings: string) => problemsOf({ Machinefile: machinefile(settings), ...NAMED_FILES });

/** The problems of a whole Machinefile. */
export const inProject = (...lines: string[]) => problemsOf({ Machinefile: lines.join('\n'), ...NAMED_FILES });
