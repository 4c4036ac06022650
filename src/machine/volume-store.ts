import { chmod, readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { syncToDisk, unlessMissing, writeFileAtomic } from '../host/files.ts';
import { acquireLock, type LockOptions } from '../host/lock.ts';
import { readExt4 } from './ext4.ts';
import { Folders } from './folders.ts';
import { type ProjectLayout, type VolumeLayout, volumeLayout } from './layout.ts';
import { VOLUME_FORMAT, type VolumeRecord } from './volume.ts';

/** What there is of a volume. */
export type VolumeState =
  | {
      readonly kind: 'whole';
      readonly record: VolumeRecord;
      /** Of the disk. */
      readonly sizeBytes: number;
      /** What the disk takes on the host. */
      readonly allocatedBytes: number;
      /** Of the file system. A guest that has just grown it may not have written that down yet. */
      readonly filesystemBytes: number;
    }
  /** What was on it may be lost: it is never made again by itself. */
  | { readonly kind: 'damaged'; readonly reason: string };

/** The volumes of one project. What changes one is called with its lock held. */
export class VolumeStore {
  readonly #layout: ProjectLayout;
  readonly #folders: Folders;

  constructor(layout: ProjectLayout) {
    this.#layout = layout;
    this.#folders = new Folders(layout.volumesDir);
  }

  /** Names of the volumes that exist, sorted. */
  list(): Promise<string[]> {
    return this.#folders.list();
  }

  layout(volume: string): VolumeLayout {
    return volumeLayout(this.#layout.volumeDir(volume));
  }

  /** The lock of everything that changes a volume, or attaches it to a machine. */
  lock(volume: string, options: LockOptions): Promise<AsyncDisposable> {
    return acquireLock(this.#layout.volumeLockDir(volume), options);
  }

  /** Looks at a volume; undefined where it does not exist. */
  async read(volume: string): Promise<VolumeState | undefined> {
    const { volumeDir, recordPath, dataPath } = this.layout(volume);
    const text = await unlessMissing(readFile(recordPath, 'utf8'));
    if (text === undefined) {
      const exists = (await unlessMissing(readdir(volumeDir))) !== undefined;
      return exists ? damaged(`${recordPath} is gone`) : undefined;
    }
    const record = parseRecord(text);
    if (record === undefined) return damaged(`${recordPath} is not what this version of vm writes`);
    const file = await unlessMissing(stat(dataPath));
    if (file === undefined) return damaged(`${dataPath} is gone`);
    if (file.size < record.sizeBytes) return damaged(`${dataPath} was cut off: it had ${record.sizeBytes} bytes`);
    const filesystem = await readExt4(dataPath);
    if (filesystem === undefined) return damaged(`${dataPath} has no ext4 file system any more`);
    if (filesystem.label !== record.label) {
      return damaged(`the file system in ${dataPath} has the label “${filesystem.label}”, not “${record.label}”`);
    }
    const { size: sizeBytes, blocks } = file;
    const allocatedBytes = blocks * STAT_BLOCK_BYTES;
    return { kind: 'whole', record, sizeBytes, allocatedBytes, filesystemBytes: filesystem.sizeBytes };
  }

  /**
   * Makes a volume, all at once; `format` writes its disk at the path that it is given. A program that is still at that
   * for a process that was killed has another path.
   */
  async create(record: VolumeRecord, format: (path: string) => Promise<void>): Promise<void> {
    const { name, uuid } = record;
    const { volumeDir, dataPath, recordPath } = volumeLayout(await this.#folders.stage(name));
    const besidePath = join(volumeDir, uuid);
    try {
      await format(besidePath);
      await chmod(besidePath, 0o600);
      await rename(besidePath, dataPath);
      await writeFileAtomic(recordPath, textOf(record));
      await syncToDisk(dataPath);
      await syncToDisk(volumeDir);
      await this.#folders.commit(name, volumeDir);
      await syncToDisk(this.#layout.volumesDir);
    } catch (error) {
      await this.#folders.removeLeftovers(name);
      throw error;
    }
  }

  async write(record: VolumeRecord): Promise<void> {
    await writeFileAtomic(this.layout(record.name).recordPath, textOf(record));
  }

  /** Removes a volume and what is on it, all at once. Repeatable. */
  remove(volume: string): Promise<void> {
    return this.#folders.remove(volume);
  }

  /** Names of those of which a folder to make or to remove them is there: of a command at work, or a killed one. */
  listLeftovers(): Promise<string[]> {
    return this.#folders.listLeftovers();
  }

  /** Removes what a killed process left of making or removing a volume. */
  removeLeftovers(volume: string): Promise<void> {
    return this.#folders.removeLeftovers(volume);
  }
}

/** Of `st_blocks`, whatever the file system's own are. */
const STAT_BLOCK_BYTES = 512;

function damaged(reason: string): VolumeState {
  return { kind: 'damaged', reason };
}

function textOf(record: VolumeRecord): string {
  return `${JSON.stringify(record, undefined, 2)}\n`;
}

function parseRecord(text: string): VolumeRecord | undefined {
  try {
    const record = JSON.parse(text) as VolumeRecord; // what we wrote, as its format number tells
    return record.format === VOLUME_FORMAT ? record : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
