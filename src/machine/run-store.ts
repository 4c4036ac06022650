import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readTextIfExists, systemErrorCode, unlessMissing, writeFileAtomic } from '../host/files.ts';
import { StagingArea } from '../host/staging.ts';

/** Who made a run, and what is to become of it. */
export interface RunRecord {
  readonly format: 1;
  /** As `nameOfMaker` gives it. */
  readonly maker: string;
  /** Nothing of it stays once its maker has ended. */
  readonly isRemoved: boolean;
}

/**
 * The machines of `vm run`. Each is a project of its own below VM_HOME, named as its machine is: a Machinefile that was
 * written for it, and beside it who wrote it. It is made and removed by a rename.
 */
export class RunStore {
  readonly #dir: string;
  readonly #area: StagingArea;

  constructor(homeDir: string) {
    this.#dir = runsDir(homeDir);
    this.#area = new StagingArea(this.#dir, (path) => rm(path, { recursive: true, force: true }));
  }

  /** The project's folder. */
  dirOf(name: string): string {
    return join(this.#dir, name);
  }

  machinefileOf(name: string): string {
    return join(this.dirOf(name), 'Machinefile');
  }

  async list(): Promise<string[]> {
    const names = ((await unlessMissing(readdir(this.#dir))) ?? []).filter((name) => !name.startsWith('.'));
    return names.sort();
  }

  /** Those of the names that are runs. */
  async among(names: readonly string[]): Promise<string[]> {
    const known = names.length === 0 ? [] : await this.list();
    const meant = known.filter((name) => names.includes(name));
    const found = await Promise.all(meant.map((name) => unlessMissing(stat(this.machinefileOf(name)))));
    return meant.filter((_, index) => found[index] !== undefined);
  }

  /** Makes a run, all at once. False: the name is taken. */
  async create(name: string, machinefile: string, record: RunRecord): Promise<boolean> {
    await using staging = await this.#area.stage();
    const dir = join(staging.dir, name);
    await mkdir(dir, { mode: 0o700 });
    await writeFileAtomic(join(dir, 'Machinefile'), machinefile);
    await writeFileAtomic(join(dir, RECORD), `${JSON.stringify(record)}\n`);
    try {
      await rename(dir, this.dirOf(name));
      return true;
    } catch (error) {
      if (['EEXIST', 'ENOTEMPTY'].includes(systemErrorCode(error) ?? '')) return false;
      throw error;
    }
  }

  /** Removes what is left of a run once its machine is destroyed. Repeatable. */
  async remove(name: string): Promise<void> {
    await using staging = await this.#area.stage();
    await unlessMissing(rename(this.dirOf(name), join(staging.dir, name)));
  }

  /** Undefined where there is no such run, and where its record is damaged. */
  async read(name: string): Promise<RunRecord | undefined> {
    const text = await readTextIfExists(join(this.dirOf(name), RECORD));
    try {
      return text === undefined ? undefined : (JSON.parse(text) as RunRecord); // written by `create`
    } catch {
      return undefined;
    }
  }
}

const RECORD = 'run.json';

function runsDir(homeDir: string): string {
  return join(homeDir, 'runs');
}

/** Whether a project is one of `vm run`. */
export function isRun(projectDir: string, homeDir: string): boolean {
  return dirname(projectDir) === runsDir(homeDir);
}
