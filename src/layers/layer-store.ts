import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rename, rm, rmdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BoxStore } from '../boxes/store.ts';
import { StateError } from '../errors.ts';
import {
  asWriteError,
  readTextIfExists,
  statFolder,
  syncToDisk,
  systemErrorCode,
  unlessMissing,
  writeFileAtomic,
} from '../host/files.ts';
import { acquireLock, type LockOptions } from '../host/lock.ts';
import { isMakerAlive, nameOfMaker } from '../host/maker.ts';
import { StagingArea } from '../host/staging.ts';
import { templateIn } from '../machine/template.ts';
import { findDiskProblem, findProblem, type LookOptions } from './find-problem.ts';
import type { Look } from './frozen-file.ts';
import type { Layer, LayerFacts, LayerListing, PendingLayer, PendingListing } from './layer.ts';
import { describeLayer, diskPath, isUnfinished, readStored, toLayer, writeStored } from './layer-file.ts';

/** What the folders of layers are called; others in the store are not ours. */
const ID = /^[0-9a-f]{32}-[0-9a-f]{8}$/;

/** Names the process that makes a layer, as long as it is none. */
const MAKER_FILE = 'maker';
const OUTPUT_FILE = 'output.txt';
/** Empty: its time stamp is when the layer was last used. */
const USED_FILE = 'used';

export interface FindOptions {
  /** Not an older one. */
  readonly maxAgeMs?: number | undefined;
  /** Called with each damaged layer that comes before the one that is given. */
  readonly onDamaged?: (layer: Layer, reason: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * The layers of this user: a folder each below VM_HOME. Machines stand on the disks in it from the beginning, so a folder
 * keeps its name; it is a layer from when `layer.json` is in it, and never changes.
 */
export class LayerStore {
  readonly #layersDir: string;
  readonly #locksDir: string;
  readonly #boxes: LookOptions['boxes'];
  readonly #staging: StagingArea;

  /** @param boxes those that the layers stand on. */
  constructor(homeDir: string, boxes: LookOptions['boxes'] = new BoxStore(homeDir)) {
    this.#layersDir = join(homeDir, 'layers');
    this.#locksDir = join(homeDir, 'locks');
    this.#boxes = boxes;
    this.#staging = new StagingArea(this.#layersDir, (path) => rm(path, { recursive: true, force: true }));
  }

  /**
   * A new folder for the disks of a layer. Nobody is offered it, but a machine may stand on it from now on: it is kept as
   * long as this process lives, or a machine's record names it.
   */
  async begin(key: string): Promise<PendingLayer> {
    const pending = this.pending(`${idPrefix(key)}${randomBytes(4).toString('hex')}`);
    if (!ID.test(pending.id)) throw new Error(`no layer can have the key “${key}”: it is no digest in hex`);
    await using staged = await this.#staging.stage();
    await writeFileAtomic(join(staged.dir, MAKER_FILE), nameOfMaker());
    await rename(staged.dir, pending.dir);
    return pending;
  }

  /** The same for a folder that exists: to finish what a killed process began. */
  pending(id: string): PendingLayer {
    const dir = this.#dir(id);
    return { id, dir, template: templateIn(dir), diskPath: (diskId) => diskPath(dir, diskId) };
  }

  /** Whether there is such a folder that is no layer yet, or will never be one. */
  async isPending(id: string): Promise<boolean> {
    return existsSync(this.#dir(id)) && isUnfinished(this.#dir(id));
  }

  /**
   * Makes a layer of the frozen disks in the folder: it exists from when all of it is on the disk. Repeatable.
   * @throws VmError if that cannot be written; the folder stays as it is then, because a machine may stand on it.
   */
  async publish({ id, dir }: PendingLayer, facts: LayerFacts, signal: AbortSignal): Promise<Layer> {
    if (!id.startsWith(idPrefix(facts.key))) throw new Error(`${id} was begun with another key than ${facts.key}`);
    let stored = await readStored(dir);
    if (stored === undefined) {
      stored = await describeLayer(dir, facts, signal);
      if (facts.output !== undefined) await writeFileAtomic(join(dir, OUTPUT_FILE), facts.output);
      await writeFile(join(dir, USED_FILE), '', { mode: 0o600 }).catch((error: unknown) => {
        throw asWriteError(dir, error);
      });
      await syncToDisk(dir);
      await writeStored(dir, stored);
    }
    await syncToDisk(dir);
    await syncToDisk(this.#layersDir);
    await rm(join(dir, MAKER_FILE), { force: true });
    return toLayer(id, dir, stored);
  }

  /** Removes what was begun. Call when no machine stands on it. */
  discard({ id }: PendingLayer): Promise<void> {
    return this.remove(id);
  }

  /**
   * The newest layer of this key that is whole, down to the box; undefined if there is none. Disks that have changed
   * since they were last read are read.
   */
  async find(key: string, { maxAgeMs = Infinity, onDamaged, signal }: FindOptions = {}): Promise<Layer | undefined> {
    const candidates = await this.ofKey(key);
    for (const layer of candidates.filter(({ createdAt }) => Date.now() - Date.parse(createdAt) <= maxAgeMs)) {
      const problem = await this.#findProblem(layer.id, 'changes', signal);
      if (problem === undefined) return layer;
      onDamaged?.(layer, problem);
    }
    return undefined;
  }

  /** All layers of this key as they are described, whether they are whole or not; those first that `find` prefers. */
  async ofKey(key: string): Promise<Layer[]> {
    const ids = (await this.#ids()).filter((id) => id.startsWith(idPrefix(key)));
    const layers = await Promise.all(ids.map((id) => this.#read(id)));
    return layers.flatMap((layer) => (layer?.key === key ? [layer] : [])).sort(newestFirst);
  }

  /** As it is described, whether it is whole or not; undefined if it is gone. */
  describe(id: string): Promise<Layer | undefined> {
    return this.#read(id);
  }

  /** @throws StateError if it, or what it stands on, is gone or damaged. */
  async get(id: string, signal?: AbortSignal): Promise<Layer> {
    const layer = await this.#read(id);
    const problem = await this.#findProblem(id, 'changes', signal);
    if (layer !== undefined && problem === undefined) return layer;
    throw new StateError(`the layer ${id} that a machine stands on is damaged: ${problem}`, {
      hint: `restore ${this.#dir(id)} from a copy, or make the machine anew: vm up --recreate`,
    });
  }

  /** All layers, newest first, also damaged ones. */
  async list(): Promise<LayerListing[]> {
    await this.#staging.removeLeftovers();
    const listings = await Promise.all((await this.#ids()).map((id) => this.#readListing(id)));
    return listings
      .filter((listing) => listing !== undefined)
      .sort((a, b) => newestFirst(a.layer, b.layer) || a.layer.id.localeCompare(b.layer.id));
  }

  /** The folders that are no layers: of processes at work, or killed ones. */
  async listPending(): Promise<PendingListing[]> {
    const ids = await this.#ids();
    const unfinished = await Promise.all(ids.map((id) => isUnfinished(this.#dir(id))));
    return Promise.all(
      ids
        .filter((_id, i) => unfinished[i])
        .map(async (id) => {
          const maker = await readTextIfExists(join(this.#dir(id), MAKER_FILE));
          return { id, sizeBytes: await this.#sizeOf(id), isMakerAlive: maker !== undefined && isMakerAlive(maker) };
        }),
    );
  }

  /** Reads all bytes of a layer's own disks. What is found out is known to `list`, `find` and `get` from now on. */
  async verify(id: string, signal: AbortSignal): Promise<void> {
    await findDiskProblem(this.#dir(id), { look: 'bytes', signal });
  }

  /** Remembers that a machine was made of it just now. */
  async markUsed(id: string): Promise<void> {
    const now = new Date();
    await unlessMissing(utimes(join(this.#dir(id), USED_FILE), now, now));
  }

  /** What the step printed; undefined where that was not kept. */
  readOutput(id: string): Promise<string | undefined> {
    return readTextIfExists(join(this.#dir(id), OUTPUT_FILE));
  }

  /** Held while a machine is made on a layer, or while it is removed. Who takes the box's lock, too, takes that first. */
  async lock(id: string, options: LockOptions): Promise<AsyncDisposable> {
    const lockDir = join(this.#locksDir, `layer-${id}`);
    const lock = await acquireLock(lockDir, options);
    return {
      async [Symbol.asyncDispose]() {
        await lock[Symbol.asyncDispose]();
        // There are many layers in the course of time. Whoever wants the lock now, too, has it not removed.
        await rmdir(lockDir).catch((error: unknown) => {
          if (!['ENOTEMPTY', 'ENOENT'].includes(systemErrorCode(error) ?? '')) throw error;
        });
      },
    };
  }

  /** Removes a layer, all at once. Call with its lock held, when neither a machine nor another layer stands on it. */
  async remove(id: string): Promise<void> {
    await using doomed = await this.#staging.stage();
    await unlessMissing(rename(this.#dir(id), join(doomed.dir, id)));
  }

  async #read(id: string): Promise<Layer | undefined> {
    const stored = await readStored(this.#dir(id));
    return stored && toLayer(id, this.#dir(id), stored);
  }

  async #readListing(id: string): Promise<LayerListing | undefined> {
    const layer = await this.#read(id);
    if (layer === undefined) return undefined;
    const used = await unlessMissing(stat(join(this.#dir(id), USED_FILE)));
    return {
      layer,
      sizeBytes: await this.#sizeOf(id),
      lastUsedAt: used?.mtime.toISOString() ?? layer.createdAt,
      problem: await this.#findProblem(id, 'stat'),
    };
  }

  #findProblem(id: string, look: Look, signal = new AbortController().signal): Promise<string | undefined> {
    return findProblem(id, { layersDir: this.#layersDir, boxes: this.#boxes, look, signal });
  }

  async #sizeOf(id: string): Promise<number> {
    return (await statFolder(this.#dir(id))).reduce((sum, { blocks }) => sum + blocks * 512, 0);
  }

  async #ids(): Promise<string[]> {
    const names = (await unlessMissing(readdir(this.#layersDir))) ?? [];
    return names.filter((name) => ID.test(name));
  }

  #dir(id: string): string {
    return join(this.#layersDir, id);
  }
}

/** What the ids of all layers of a key begin with: a folder's name is not to be too long. */
function idPrefix(key: string): string {
  return `${key.slice(0, 32)}-`;
}

/** A flattened one is as old as that of which it has the content, and goes before it. */
function newestFirst(a: Layer, b: Layer): number {
  return b.createdAt.localeCompare(a.createdAt) || Number(a.flatOf === undefined) - Number(b.flatOf === undefined);
}
