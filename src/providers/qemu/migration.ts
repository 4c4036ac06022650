import { StateError, TimeoutError } from '../../errors.ts';
import { systemErrorCode } from '../../host/files.ts';
import { waitFor } from '../../host/wait.ts';
import { QmpClient } from './qmp.ts';

/** For a monitor that another `vm` may be using, which takes a moment. */
const MONITOR_TIMEOUT_MS = 10_000;
/** A transfer of which nothing was heard for so long will not go on. A disk may be as slow as it likes. */
const STALL_TIMEOUT_MS = 60_000;

/** Bytes of a second: more than anything has. QEMU slows migration down unless it is told otherwise. */
const MAX_BANDWIDTH = 2 ** 40;

/** Makes a migration as fast as it can be. */
export async function liftLimits(monitor: QmpClient): Promise<void> {
  await monitor.execute('migrate-set-parameters', { 'max-bandwidth': MAX_BANDWIDTH });
}

/**
 * Whether memory that is in a file of its own is left out of what is transferred. Both sides must be told the same, also
 * where there is none: a QEMU that took its memory so remembers it.
 */
export async function leaveOutSharedRam(monitor: QmpClient, isLeftOut: boolean): Promise<void> {
  const capabilities = [{ capability: 'x-ignore-shared', state: isLeftOut }];
  await monitor.execute('migrate-set-capabilities', { capabilities });
}

/** How far a migration is: QMP's `query-migrate`, as far as it is looked at. */
interface Migration {
  readonly status?: string;
  readonly 'error-desc'?: string;
}

const FAILED = ['failed', 'cancelled'];

/**
 * Waits for the end of a migration, as long as it goes on.
 * @throws StateError with QEMU's words when it fails; TimeoutError when nothing has moved for a minute.
 */
export async function awaitMigration(monitorPath: string, signal: AbortSignal): Promise<void> {
  let last = 'unknown';
  for (;;) {
    const migration = await waitFor(
      async () => {
        const now = await queryMigration(monitorPath);
        return now !== undefined && JSON.stringify(now) !== last ? now : undefined;
      },
      { what: 'QEMU to go on with its memory', timeoutMs: STALL_TIMEOUT_MS, signal, minPauseMs: 5, maxPauseMs: 100 },
    );
    last = JSON.stringify(migration);
    const { status = 'none', 'error-desc': problem } = migration;
    if (status === 'completed') return;
    if (FAILED.includes(status)) throw new StateError(`QEMU gave up: ${problem ?? `its migration has ${status}`}`);
  }
}

/** Undefined while QEMU is too busy to answer. @throws StateError when it has ended. */
async function queryMigration(monitorPath: string): Promise<Migration | undefined> {
  try {
    // An object: QEMU's promise.
    return (await ask(monitorPath, (monitor) => monitor.execute('query-migrate'))) as Migration;
  } catch (error) {
    if (error instanceof TimeoutError) return undefined;
    throw error;
  }
}

/** Runs `work` with a connection of its own. @throws StateError where nobody listens. */
export async function ask<T>(monitorPath: string, work: (monitor: QmpClient) => Promise<T>): Promise<T> {
  try {
    using monitor = await QmpClient.connect(monitorPath, MONITOR_TIMEOUT_MS);
    return await work(monitor);
  } catch (cause) {
    if (systemErrorCode(cause) === undefined) throw cause;
    throw new StateError('QEMU closed its monitor', { cause });
  }
}
