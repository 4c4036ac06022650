import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ensurePrivateFolder, readTextIfExists, unlessMissing, writeFileAtomic } from '../host/files.ts';
import type { ProviderName } from '../machinefile/spec.ts';
import { projectLayout } from './layout.ts';

/** Where a machine of this host is: for `vm list --all` and for knowing who uses a box. */
export interface IndexEntry {
  /** The machine's UUID. */
  readonly id: string;
  readonly projectDir: string;
  readonly machine: string;
  readonly provider: ProviderName;
}

/**
 * All machines of this user on this host, one small file each below VM_HOME.
 * It only points: an entry whose machine is gone (project folder removed) means nothing and is dropped by `list`.
 */
export class MachineIndex {
  readonly #indexDir: string;

  constructor(homeDir: string) {
    this.#indexDir = join(homeDir, 'machines');
  }

  /** Called before the machine exists, and when it may have been moved, so that no machine is missing here. Repeatable. */
  async add(entry: IndexEntry): Promise<void> {
    const text = `${JSON.stringify(entry)}\n`;
    const path = this.#entryPath(entry.id);
    if ((await readTextIfExists(path)) === text) return;
    await ensurePrivateFolder(this.#indexDir);
    await writeFileAtomic(path, text);
  }

  async remove(id: string): Promise<void> {
    await rm(this.#entryPath(id), { force: true });
  }

  /** The entries whose machine exists, by project, then by machine. */
  async list(): Promise<IndexEntry[]> {
    const names = (await unlessMissing(readdir(this.#indexDir))) ?? [];
    const ids = names
      .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
      .map((name) => name.slice(0, -5));
    const entries = await Promise.all(ids.map((id) => this.#readLive(id)));
    return entries
      .filter((entry) => entry !== undefined)
      .sort((a, b) => a.projectDir.localeCompare(b.projectDir) || a.machine.localeCompare(b.machine));
  }

  async #readLive(id: string): Promise<IndexEntry | undefined> {
    const text = await unlessMissing(readFile(this.#entryPath(id), 'utf8'));
    if (text === undefined) return undefined;
    const entry = JSON.parse(text) as IndexEntry; // written whole by `add`
    const machineDir = projectLayout(entry.projectDir).machineDir(entry.machine);
    return (await unlessMissing(readdir(machineDir))) === undefined ? undefined : entry;
  }

  #entryPath(id: string): string {
    return join(this.#indexDir, `${id}.json`);
  }
}
