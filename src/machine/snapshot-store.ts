import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { asWriteError, readTextIfExists, syncToDisk, unlessMissing, writeFileAtomic } from '../host/files.ts';
import type { MemoryFiles } from './memory.ts';
import { removeMemory } from './memory-files.ts';
import { SNAPSHOT_FORMAT, type Snapshot } from './snapshot.ts';
import { type StoredSnapshot, unusedSnapshots } from './snapshot-tree.ts';

/** The folder of a snapshot, within that of its machine. */
const SNAPSHOTS_DIR = 'snapshots';
/** Makes the snapshot one that can be gone back to: written last, and taken away first. */
const SHOWN_FILE = 'snapshot.json';
const HIDDEN_FILE = 'hidden.json';

/** The snapshots of one machine, in its folder. Call what changes them with the machine's lock held. */
export class SnapshotStore {
  readonly #dir: string;

  constructor(machineDir: string) {
    this.#dir = join(machineDir, SNAPSHOTS_DIR);
  }

  async list(): Promise<StoredSnapshot[]> {
    const entries = (await unlessMissing(readdir(this.#dir, { withFileTypes: true }))) ?? [];
    return Promise.all(entries.filter((entry) => entry.isDirectory()).map(({ name }) => this.#read(name)));
  }

  async #read(id: string): Promise<StoredSnapshot> {
    const shown = parse(await readTextIfExists(this.#path(id, SHOWN_FILE)), id);
    if (shown !== undefined) return { id, snapshot: shown, isHidden: false };
    return { id, snapshot: parse(await readTextIfExists(this.#path(id, HIDDEN_FILE)), id), isHidden: true };
  }

  /** Where the frozen disk of this id is, or is to be. */
  diskPath(id: string, diskId: string): string {
    return this.#path(id, `${diskId}.qcow2`);
  }

  /**
   * How a disk names a frozen one that it stands on: as seen from the machine's folder and from that of each snapshot, where
   * the disk goes when it is frozen in turn. So a project can be moved.
   */
  diskReference(id: string, diskId: string): string {
    return join(SNAPSHOTS_DIR, id, `${diskId}.qcow2`);
  }

  memory(id: string): MemoryFiles {
    return { statePath: this.#path(id, 'memory.state'), factsPath: this.#path(id, 'memory.json') };
  }

  /** Makes the folder of a snapshot that is hidden until it is `publish`ed. */
  async begin(draft: Omit<Snapshot, 'format' | 'id' | 'disks'>): Promise<Snapshot> {
    const id = `${draft.createdAt.replace(/\D/g, '').slice(0, 14)}-${randomBytes(4).toString('hex')}`;
    const snapshot: Snapshot = { ...draft, format: SNAPSHOT_FORMAT, id, disks: [] };
    const dir = this.#path(id);
    try {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      await symlink('..', join(dir, SNAPSHOTS_DIR));
    } catch (error) {
      throw asWriteError(dir, error);
    }
    await this.#write(HIDDEN_FILE, snapshot);
    await syncToDisk(this.#dir);
    await syncToDisk(dirname(this.#dir));
    return snapshot;
  }

  /** From here on it can be gone back to. */
  async publish(snapshot: Snapshot): Promise<void> {
    await this.#write(SHOWN_FILE, snapshot);
    await rm(this.#path(snapshot.id, HIDDEN_FILE), { force: true });
  }

  /** From here on it cannot be gone back to. What is left is for what stands on it: see `removeUnused`. */
  async hide(id: string): Promise<void> {
    await unlessMissing(rename(this.#path(id, SHOWN_FILE), this.#path(id, HIDDEN_FILE)));
    await unlessMissing(syncToDisk(this.#path(id)));
    await removeMemory(this.memory(id));
  }

  /** Removes what nothing stands on any more; `roots` are the ids that the machine does. */
  async removeUnused(roots: readonly string[]): Promise<void> {
    for (const { id } of unusedSnapshots(await this.list(), roots)) {
      await rm(this.#path(id), { recursive: true, force: true });
    }
  }

  /** Bytes it takes on disk, its memory among them. */
  async sizeOf(id: string): Promise<number> {
    const names = (await unlessMissing(readdir(this.#path(id)))) ?? [];
    const found = await Promise.all(names.map((name) => unlessMissing(stat(this.#path(id, name)))));
    const files = found.filter((facts) => facts?.isFile());
    return files.reduce((sum, facts) => sum + (facts?.blocks ?? 0) * 512, 0);
  }

  async #write(file: string, snapshot: Snapshot): Promise<void> {
    await writeFileAtomic(this.#path(snapshot.id, file), `${JSON.stringify(snapshot, undefined, 2)}\n`);
    await syncToDisk(this.#path(snapshot.id));
  }

  #path(id: string, file = ''): string {
    return join(this.#dir, id, file);
  }
}

/** Undefined where there is none, or one that another version of vm has written. */
function parse(text: string | undefined, id: string): Snapshot | undefined {
  if (text === undefined) return undefined;
  try {
    const snapshot = JSON.parse(text) as Snapshot; // what we wrote, as its format number tells
    return snapshot.format === SNAPSHOT_FORMAT && snapshot.id === id ? snapshot : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
