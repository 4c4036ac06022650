import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ensurePrivateFolder, unlessMissing } from './files.ts';
import { isMakerAlive, nameOfMaker } from './maker.ts';

/** Names of folders in which something is made or removed go on with the process that does it. */
const MAKING = '.making-';

/** A folder in which something is made, to be renamed when it is whole, or removed. Disposing it removes what is in it. */
export interface StagingFolder extends AsyncDisposable {
  readonly dir: string;
}

/** Makes and removes the things in a folder by a rename: what a killed process leaves is never half of one. */
export class StagingArea {
  readonly #dir: string;
  readonly #removeFolder: (path: string) => Promise<void>;

  constructor(dir: string, removeFolder: (path: string) => Promise<void>) {
    this.#dir = dir;
    this.#removeFolder = removeFolder;
  }

  /** An empty folder. What is left of processes that died in theirs is removed. */
  async stage(): Promise<StagingFolder> {
    await ensurePrivateFolder(this.#dir);
    await this.removeLeftovers();
    const dir = join(this.#dir, `${MAKING}${nameOfMaker()}`);
    await ensurePrivateFolder(dir);
    return { dir, [Symbol.asyncDispose]: () => this.#removeFolder(dir) };
  }

  async removeLeftovers(): Promise<void> {
    const names = (await unlessMissing(readdir(this.#dir))) ?? [];
    const abandoned = names.filter((name) => name.startsWith(MAKING) && !isMakerAlive(name.slice(MAKING.length)));
    for (const name of abandoned) await this.#removeFolder(join(this.#dir, name));
  }
}
