import { randomBytes } from 'node:crypto';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StateError } from '../errors.ts';
import { asWriteError, ensurePrivateFolder, systemErrorCode, unlessMissing } from './files.ts';
import { identifyProcess, isAlive, type ProcessIdentity } from './processes.ts';
import { waitFor } from './wait.ts';

export interface LockOptions {
  /** What holds it, for those who wait: "vm up". */
  readonly purpose: string;
  readonly signal: AbortSignal;
  /** How long to wait for another holder. */
  readonly timeoutMs?: number;
  /** Called once, when somebody else holds the lock. */
  readonly onWait?: (holder: LockHolder) => void;
}

export interface LockHolder {
  readonly pid: number;
  readonly purpose: string;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * A lock between processes, freed by the death of its holder.
 *
 * `lockDir` holds one file per process that has or wants the lock, named after its pid and start time. Each first
 * writes its file, then looks for others: of two that come at once at least one sees the other and steps back. A file
 * whose process is gone is removed. Names are never used twice, so removing a dead holder's file cannot hit a new one,
 * which is the race that a single lock file has.
 */
export async function acquireLock(lockDir: string, options: LockOptions): Promise<AsyncDisposable> {
  const self = identifyProcess(process.pid);
  if (self === undefined) throw new StateError('cannot read /proc/self: locks need it');
  const ownName = `${self.pid}.${self.startTicks}.${randomBytes(4).toString('hex')}`;
  const ownPath = join(lockDir, ownName);
  let hasReportedWait = false;
  await waitFor(
    async () => {
      await announce(lockDir, ownPath, options.purpose);
      const holder = await findOtherHolder(lockDir, ownName);
      if (holder === undefined) return true;
      await rm(ownPath, { force: true });
      if (!hasReportedWait) options.onWait?.(holder);
      hasReportedWait = true;
      return undefined;
    },
    {
      what: `the lock ${lockDir}`,
      timeoutMs: options.timeoutMs ?? DAY_MS,
      signal: options.signal,
      // Two that step back from each other must not come back in step.
      minPauseMs: 5 + Math.random() * 20,
      maxPauseMs: 100 + Math.random() * 50,
    },
  ).catch(async (error: unknown) => {
    await rm(ownPath, { force: true });
    throw error;
  });
  return { [Symbol.asyncDispose]: () => rm(ownPath, { force: true }) };
}

async function announce(lockDir: string, ownPath: string, purpose: string): Promise<void> {
  for (;;) {
    try {
      await ensurePrivateFolder(lockDir);
      await writeFile(ownPath, purpose, { mode: 0o600 });
      return;
    } catch (error) {
      // Somebody who was done with the empty folder removed it in between.
      if (systemErrorCode(error) !== 'ENOENT') throw asWriteError(ownPath, error);
    }
  }
}

async function findOtherHolder(lockDir: string, ownName: string): Promise<LockHolder | undefined> {
  for (const name of await readdir(lockDir)) {
    const owner = name === ownName ? undefined : parseOwner(name);
    if (owner === undefined) continue;
    if (!isAlive(owner)) {
      await rm(join(lockDir, name), { force: true });
      continue;
    }
    const purpose = await unlessMissing(readFile(join(lockDir, name), 'utf8'));
    if (purpose !== undefined) return { pid: owner.pid, purpose };
  }
  return undefined;
}

/** Removes what killed processes have left of a lock that may be wanted by nobody any more. */
export async function removeDeadHolders(lockDir: string): Promise<void> {
  for (const name of (await unlessMissing(readdir(lockDir))) ?? []) {
    const owner = parseOwner(name);
    if (owner !== undefined && !isAlive(owner)) await rm(join(lockDir, name), { force: true });
  }
}

function parseOwner(name: string): ProcessIdentity | undefined {
  const [pid, startTicks] = name.split('.');
  return pid === undefined || startTicks === undefined ? undefined : { pid: Number(pid), startTicks };
}
