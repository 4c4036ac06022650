import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { StateError } from '../errors.ts';
import { unlessMissing, writeFileAtomic } from '../host/files.ts';
import { acquireLock, type LockOptions } from '../host/lock.ts';
import { StagingArea, type StagingFolder } from '../host/staging.ts';
import { type Constraint, compareVersions, isVersion, satisfies } from '../machinefile/versions.ts';
import type { Box, BoxListing } from './box.ts';
import { BOX_FILE, type BoxDescription, describeFiles, readBox, readFingerprint, readListing } from './box-file.ts';
import { removeFolder } from './remove-folder.ts';

/**
 * The boxes of this user: a folder each below VM_HOME, named by the box's key. A box exists from the rename of its
 * finished folder, and never changes.
 */
export class BoxStore {
  readonly #boxesDir: string;
  readonly #locksDir: string;
  readonly #staging: StagingArea;

  constructor(homeDir: string) {
    this.#boxesDir = join(homeDir, 'boxes');
    this.#staging = new StagingArea(this.#boxesDir, removeFolder);
    this.#locksDir = join(homeDir, 'locks');
  }

  /** All boxes, by name, newest first. */
  async list(): Promise<BoxListing[]> {
    await this.#staging.removeLeftovers();
    const keys = await this.#keys();
    const listings = await Promise.all(keys.map((key) => readListing(this.#dir(key))));
    return listings
      .filter((listing) => listing !== undefined)
      .sort((a, b) => a.box.name.localeCompare(b.box.name) || b.createdAt.localeCompare(a.createdAt));
  }

  /** The newest box of this name; within a constraint, that of the highest version. Undefined if there is none. */
  async find(name: string, version?: Constraint): Promise<Box | undefined> {
    const named = (await this.list()).filter(({ box }) => box.isNamed && box.name === name);
    const [found] =
      version === undefined
        ? named
        : named
            .filter(({ box }) => isVersion(box.version) && satisfies(box.version, version))
            .sort((a, b) => compareVersions(b.box.version, a.box.version));
    return found && this.get(found.box.key);
  }

  /**
   * The newest box that a lockfile means by this digest; undefined if there is none. The same file may be several boxes,
   * with other users: a name means the one that is found by it, an address one that was given no name.
   */
  async findByDigest(digest: string, name: string | undefined): Promise<Box | undefined> {
    const isMeant = (box: Box) => (name === undefined ? !box.isNamed : box.isNamed && box.name === name);
    const found = (await this.list()).filter(({ box }) => box.digest === digest && isMeant(box));
    const [newest] = found.sort((a, b) => b.createdAt.localeCompare(a.createdAt));
    return newest && this.get(newest.box.key);
  }

  async has(key: string): Promise<boolean> {
    return (await readListing(this.#dir(key))) !== undefined;
  }

  /** @throws StateError if it is gone or damaged. */
  async get(key: string): Promise<Box> {
    const box = await readBox(this.#dir(key));
    if (box !== undefined) return box;
    throw new StateError(`a box that a machine stands on is gone: ${this.#dir(key)}`, {
      hint: 'restore it from a copy, or make the machine anew: vm up --recreate',
    });
  }

  /** The folder of a box. */
  dirOf(key: string): string {
    return this.#dir(key);
  }

  /** The folders of all boxes. */
  async boxDirs(): Promise<string[]> {
    return (await this.#keys()).map((key) => this.#dir(key));
  }

  /** Held while a box of this key is made or removed. */
  lock(key: string, options: LockOptions): Promise<AsyncDisposable> {
    return acquireLock(join(this.#locksDir, `box-${key}`), options);
  }

  /** The newest box that was built from a recipe of this fingerprint. @throws StateError if it is damaged. */
  async findMadeFrom(fingerprint: string): Promise<Box | undefined> {
    for (const { box } of await this.list()) {
      if ((await readFingerprint(this.#dir(box.key))) === fingerprint) return this.get(box.key);
    }
    return undefined;
  }

  /** An empty folder to make a box in. What is left of processes that died in theirs is removed. */
  stage(): Promise<StagingFolder> {
    return this.#staging.stage();
  }

  /** Makes the staged box exist, all at once. Call with its lock held, when there is none with its key. */
  async commit({ dir }: StagingFolder, description: BoxDescription): Promise<Box> {
    await writeFileAtomic(join(dir, BOX_FILE), await describeFiles(dir, description));
    await rename(dir, this.#dir(description.key));
    return this.get(description.key);
  }

  /** Removes a box, all at once. Call with its lock held, when no machine stands on it. */
  async remove(key: string): Promise<void> {
    await using doomed = await this.stage();
    await unlessMissing(rename(this.#dir(key), join(doomed.dir, key)));
  }

  async #keys(): Promise<string[]> {
    const names = (await unlessMissing(readdir(this.#boxesDir))) ?? [];
    return names.filter((name) => !name.startsWith('.'));
  }

  #dir(key: string): string {
    return join(this.#boxesDir, key);
  }
}
