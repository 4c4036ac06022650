import { readdir, readFile, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StateError } from '../errors.ts';
import { ensurePrivateFolder, systemErrorCode, unlessMissing, writeFileAtomic } from '../host/files.ts';
import { acquireLock, type LockOptions, removeDeadHolders } from '../host/lock.ts';
import type { Scale } from '../machinefile/replicas.ts';
import { Folders } from './folders.ts';
import { type MachineLayout, machineLayout, type ProjectLayout, projectLayout } from './layout.ts';
import { type MachineRecord, RECORD_FORMAT } from './record.ts';
import { readScale, writeScale } from './scale-file.ts';
import { VolumeStore } from './volume-store.ts';

/** No machine is called so. */
const PORTS_LOCK = '.ports';

/** The machines of one project, in `.vm` beside its Machinefile. */
export class StateStore {
  readonly volumes: VolumeStore;
  readonly #layout: ProjectLayout;
  readonly #folders: Folders;

  constructor(projectDir: string) {
    this.#layout = projectLayout(projectDir);
    this.#folders = new Folders(this.#layout.machinesDir);
    this.volumes = new VolumeStore(this.#layout);
  }

  /** Whether anything was ever made here: without it there is nothing to lock, stop or remove. */
  async exists(): Promise<boolean> {
    return (await unlessMissing(readdir(this.#layout.stateDir))) !== undefined;
  }

  /** Names of the machines that exist, sorted. */
  list(): Promise<string[]> {
    return this.#folders.list();
  }

  layout(machine: string): MachineLayout {
    return machineLayout(this.#layout.machineDir(machine));
  }

  /**
   * The record of a machine; undefined where it does not exist.
   * @throws StateError when there is one that cannot be read.
   */
  async read(machine: string): Promise<MachineRecord | undefined> {
    const { machineDir, recordPath } = this.layout(machine);
    const text = await unlessMissing(readFile(recordPath, 'utf8'));
    if (text !== undefined) return parseRecord(text, recordPath, machine);
    if ((await unlessMissing(readdir(machineDir))) === undefined) return undefined;
    throw damagedRecord(recordPath, machine, 'it is gone');
  }

  /** The same where a damaged record is as good as none: what it says is not needed now. */
  async readIfWhole(machine: string): Promise<MachineRecord | undefined> {
    try {
      return await this.read(machine);
    } catch (error) {
      if (error instanceof StateError) return undefined;
      throw error;
    }
  }

  /** Writes the record into the machine's folder, or into `layout`, where it is being made. */
  async write(record: MachineRecord, layout = this.layout(record.machine)): Promise<void> {
    await writeFileAtomic(layout.recordPath, `${JSON.stringify(record, undefined, 2)}\n`);
  }

  /** An empty folder to make a machine in. Call with the machine's lock held. */
  async stage(machine: string): Promise<MachineLayout> {
    await this.#ensureStateDir();
    return machineLayout(await this.#folders.stage(machine));
  }

  /** Makes the staged machine exist, all at once. */
  commit(machine: string, staged: MachineLayout): Promise<void> {
    return this.#folders.commit(machine, staged.machineDir);
  }

  /** Removes a machine, all at once: it no longer exists even if this is interrupted. Repeatable. */
  remove(machine: string): Promise<void> {
    return this.#folders.remove(machine);
  }

  /** Names of the machines of which a folder to make or to remove them is there: of a command at work, or a killed one. */
  listLeftovers(): Promise<string[]> {
    return this.#folders.listLeftovers();
  }

  /** Removes what a killed create or destroy of this machine left. Call with its lock held. */
  removeLeftovers(machine: string): Promise<void> {
    return this.#folders.removeLeftovers(machine);
  }

  /**
   * Removes the state folder once the last machine and volume is gone. Leaves it where anything else is in it or uses
   * it, such as what `vm scale` has said: there may be no machine because it said so.
   */
  async removeIfEmpty(): Promise<void> {
    const { stateDir, machinesDir, volumesDir, gitignorePath, locksDir } = this.#layout;
    for (const name of (await unlessMissing(readdir(locksDir))) ?? []) {
      await removeDeadHolders(join(locksDir, name));
      await removeFolderIfEmpty(join(locksDir, name));
    }
    for (const dir of [volumesDir, machinesDir, locksDir]) {
      if (!(await removeFolderIfEmpty(dir))) return;
    }
    if (await this.isScaled()) return;
    await rm(gitignorePath, { force: true });
    await removeFolderIfEmpty(stateDir);
  }

  /** The lock of everything that changes one machine. */
  async lock(machine: string, options: LockOptions): Promise<AsyncDisposable> {
    await this.#ensureStateDir();
    return acquireLock(this.#layout.lockDir(machine), options);
  }

  /** Whether `vm scale` has said anything, be it damaged by now. */
  async isScaled(): Promise<boolean> {
    return (await unlessMissing(stat(this.#layout.scalePath))) !== undefined;
  }

  /** What `vm scale` has said. @throws StateError when that cannot be read. */
  async readScale(): Promise<Scale> {
    return readScale(this.#layout.scalePath);
  }

  /** Call with the lock held. */
  async writeScale(scale: Scale): Promise<void> {
    await this.#ensureStateDir();
    await writeScale(this.#layout.scalePath, scale);
  }

  /** The lock of reading what host ports the machines have and giving one of them another. Taken after the machine's. */
  async lockPorts(options: LockOptions): Promise<AsyncDisposable> {
    await this.#ensureStateDir();
    return acquireLock(this.#layout.lockDir(PORTS_LOCK), options);
  }

  async #ensureStateDir(): Promise<void> {
    const { machinesDir, gitignorePath } = this.#layout;
    await ensurePrivateFolder(machinesDir);
    if ((await unlessMissing(readFile(gitignorePath))) === undefined) await writeFileAtomic(gitignorePath, '*\n');
  }
}

async function removeFolderIfEmpty(path: string): Promise<boolean> {
  try {
    await unlessMissing(rmdir(path));
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOTEMPTY') return false;
    throw error;
  }
}

function parseRecord(text: string, recordPath: string, machine: string): MachineRecord {
  let record: MachineRecord;
  try {
    record = JSON.parse(text) as MachineRecord; // what we wrote; its format number is checked below
  } catch (error) {
    throw damagedRecord(recordPath, machine, systemErrorCode(error) ?? 'it is not JSON');
  }
  if (record.format !== RECORD_FORMAT) {
    throw new StateError(`${recordPath} has format ${record.format}, which this version of vm does not know`, {
      hint: 'use the version of vm that made the machine, or a newer one',
    });
  }
  return record;
}

function damagedRecord(recordPath: string, machine: string, reason: string): StateError {
  return new StateError(`the record of ${machine} is damaged: ${recordPath}: ${reason}`, {
    hint: `vm destroy ${machine} removes the machine`,
  });
}
