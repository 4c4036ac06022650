import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { asWriteError, ensurePrivateFolder, unlessMissing } from '../host/files.ts';

/** Names of folders that do not exist yet, or no longer: being made, being removed. */
const CREATING = '.creating-';
const DESTROYING = '.destroying-';

/**
 * Folders by name, in one folder. Each exists from the rename of the finished folder to the rename of the folder to be
 * removed: never half of it. What changes one is called with its lock held.
 */
export class Folders {
  readonly #dir: string;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Names of those that exist, sorted. */
  async list(): Promise<string[]> {
    return (await this.#entries()).filter((name) => !name.startsWith('.'));
  }

  path(name: string): string {
    return join(this.#dir, name);
  }

  /** An empty folder to make one in. */
  async stage(name: string): Promise<string> {
    await this.removeLeftovers(name);
    const stagingDir = join(this.#dir, `${CREATING}${name}`);
    await ensurePrivateFolder(stagingDir);
    return stagingDir;
  }

  /** Makes the staged one exist, all at once. */
  async commit(name: string, stagingDir: string): Promise<void> {
    await rename(stagingDir, this.path(name));
  }

  /** Removes one, all at once: it no longer exists even if this is interrupted. Repeatable. */
  async remove(name: string): Promise<void> {
    const doomedDir = join(this.#dir, `${DESTROYING}${name}`);
    await this.removeLeftovers(name);
    try {
      await unlessMissing(rename(this.path(name), doomedDir));
    } catch (error) {
      throw asWriteError(doomedDir, error);
    }
    await this.removeLeftovers(name);
  }

  /** Removes what a killed process left of making or removing this one. */
  async removeLeftovers(name: string): Promise<void> {
    for (const prefix of [CREATING, DESTROYING]) {
      await rm(join(this.#dir, `${prefix}${name}`), { recursive: true, force: true });
    }
  }

  /** Names of those of which a folder to make or to remove them is there: of a command at work, or a killed one. */
  async listLeftovers(): Promise<string[]> {
    const names = (await this.#entries()).flatMap((entry) => {
      const prefix = [CREATING, DESTROYING].find((known) => entry.startsWith(known));
      return prefix === undefined ? [] : entry.slice(prefix.length);
    });
    return [...new Set(names)];
  }

  async #entries(): Promise<string[]> {
    return ((await unlessMissing(readdir(this.#dir))) ?? []).sort();
  }
}
