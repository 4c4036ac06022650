import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { StateError } from '../errors.ts';
import { asWriteError, ensurePrivateFolder, readTextIfExists, unlessMissing, writeFileAtomic } from '../host/files.ts';
import { LEDGER_FORMAT, type UsageLedger } from './usage-ledger.ts';

/** A ledger that cannot be read: its file is whole only as long as nobody writes a new one in its place. */
export class DamagedLedgerError extends StateError {}

const SUFFIX = '.json';
const DAMAGED_SUFFIX = '.damaged';

/** All ledgers, and the files that ought to be some. */
export interface LedgerListing {
  readonly ledgers: readonly UsageLedger[];
  /** Why each of those that cannot be read cannot; they come with the place of the file. */
  readonly failures: readonly StateError[];
}

/**
 * What the machines of this user have used, one small file each below VM_HOME: they outlive the machines. A ledger is
 * written by whoever has the machine's lock.
 */
export class LedgerStore {
  readonly #ledgersDir: string;

  constructor(homeDir: string) {
    this.#ledgersDir = join(homeDir, 'usage');
  }

  /** @throws DamagedLedgerError; StateError for the ledger of a newer vm. */
  async read(id: string): Promise<UsageLedger | undefined> {
    const path = this.#pathOf(id);
    const text = await readTextIfExists(path);
    return text === undefined ? undefined : parseLedger(text, path);
  }

  /** The same; undefined also where it cannot be read. */
  async readIfWhole(id: string): Promise<UsageLedger | undefined> {
    try {
      return await this.read(id);
    } catch (error) {
      if (error instanceof StateError) return undefined;
      throw error;
    }
  }

  async write(ledger: UsageLedger): Promise<void> {
    await ensurePrivateFolder(this.#ledgersDir);
    await writeFileAtomic(this.#pathOf(ledger.id), `${JSON.stringify(ledger)}\n`);
  }

  /** Moves a damaged ledger out of the way of a new one; what was set aside before is kept, too. Gives its new place. */
  async setAside(id: string): Promise<string> {
    const path = this.#pathOf(id);
    const asidePath = `${path}.${Date.now()}${DAMAGED_SUFFIX}`;
    await rename(path, asidePath).catch((error: unknown) => {
      throw asWriteError(asidePath, error);
    });
    return asidePath;
  }

  async list(): Promise<LedgerListing> {
    const names = (await unlessMissing(readdir(this.#ledgersDir))) ?? [];
    const visible = names.filter((name) => !name.startsWith('.')).sort();
    const ledgers: UsageLedger[] = [];
    const failures = visible
      .filter((name) => name.endsWith(DAMAGED_SUFFIX))
      .map((name) => damaged(join(this.#ledgersDir, name), 'it was damaged and set aside'));
    for (const name of visible.filter((candidate) => candidate.endsWith(SUFFIX))) {
      try {
        const ledger = await this.read(name.slice(0, -SUFFIX.length));
        if (ledger !== undefined) ledgers.push(ledger);
      } catch (error) {
        if (!(error instanceof StateError)) throw error;
        failures.push(error);
      }
    }
    return { ledgers, failures };
  }

  #pathOf(id: string): string {
    return join(this.#ledgersDir, `${id}${SUFFIX}`);
  }
}

function parseLedger(text: string, path: string): UsageLedger {
  let ledger: Partial<UsageLedger>;
  try {
    ledger = JSON.parse(text) as Partial<UsageLedger>; // what we wrote; looked at below
  } catch {
    throw damaged(path, 'it is not JSON');
  }
  if (typeof ledger?.format !== 'number' || ledger.settled === undefined) throw damaged(path, 'it is no ledger');
  if (ledger.format !== LEDGER_FORMAT) {
    throw new StateError(`the usage in ${path} has format ${ledger.format}, which this version of vm does not know`, {
      hint: 'use a newer version of vm',
    });
  }
  return ledger as UsageLedger; // its format is ours
}

function damaged(path: string, reason: string): DamagedLedgerError {
  return new DamagedLedgerError(`the usage in ${path} cannot be read: ${reason}`, {
    hint: 'mend it or remove it: what it holds is in no sum',
  });
}
