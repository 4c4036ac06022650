import { StateError } from '../../errors.ts';
import { waitFor } from '../../host/wait.ts';
import { ask } from './migration.ts';
import type { QmpClient } from './qmp.ts';

const RUN_ON_TIMEOUT_MS = 30_000;
/** In milliseconds: switches may have forgotten meanwhile where its cards are. */
const ANNOUNCEMENTS = { initial: 50, max: 550, rounds: 5, step: 100 };
/** QEMU takes its disks up again, which may be slow. */
const CONT_TIMEOUT_MS = 120_000;

/** Lets a guest that is held still run on. Not interrupted: it must not stay so. @throws VmError if it does not. */
export async function runOn(monitorPath: string): Promise<void> {
  await waitFor(() => ask(monitorPath, tryToRunOn), {
    what: 'QEMU to let the guest run on',
    timeoutMs: RUN_ON_TIMEOUT_MS,
    signal: new AbortController().signal,
  });
}

async function tryToRunOn(monitor: QmpClient): Promise<true | undefined> {
  await monitor.execute('migrate_cancel');
  try {
    await monitor.execute('cont', undefined, CONT_TIMEOUT_MS);
  } catch (error) {
    // A migration that is being given up has to end first.
    if (error instanceof StateError) return undefined;
    throw error;
  }
  if (!isRunning(await monitor.execute('query-status'))) return undefined;
  await monitor.execute('announce-self', ANNOUNCEMENTS);
  return true;
}

function isRunning(status: unknown): boolean {
  return typeof status === 'object' && status !== null && 'status' in status && status.status === 'running';
}
