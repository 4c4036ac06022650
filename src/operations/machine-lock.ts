import type { LockHolder } from '../host/lock.ts';
import type { StateStore } from '../machine/state-store.ts';
import { settleFreezing } from './layers/freezing.ts';
import type { Project } from './project.ts';
import type { Services } from './services.ts';
import { settleSnapshots } from './snapshots/settle.ts';
import { settleEndedRun } from './usage/metering.ts';

/** What a command says that has to wait: for whom. */
export function waitingFor({ purpose, pid }: LockHolder): string {
  return `waiting for ${purpose} (pid ${pid})`;
}

/** Says of a subject whom it has to wait for. */
export function tellOfWait(subject: string, { reporter }: Pick<Services, 'reporter'>): (holder: LockHolder) => void {
  return (holder) => {
    const text = `${waitingFor(holder)}, which is working on it`;
    reporter.report({ type: 'message', level: 'info', subject, text });
  };
}

/** Takes the lock of everything that changes a machine, and says whom it waits for. Disposing it gives it back. */
export async function lockMachine(
  project: Project,
  { name, purpose }: { readonly name: string; readonly purpose: string },
  services: Services,
): Promise<AsyncDisposable> {
  const { signal } = services;
  const lock = await project.states.lock(name, {
    purpose,
    signal,
    onWait: tellOfWait(name, services),
  });
  await settleEndedRun(project, name, services);
  await settleFreezing(project, name, services);
  await settleSnapshots(project, name, services);
  return lock;
}

/** A name that no machine can have. */
const SCALE_LOCK_NAME = '_scale';

/** Takes the lock of what `vm scale` says of a project, and says whom it waits for. Disposing it gives it back. */
export function lockScale(
  states: StateStore,
  purpose: string,
  { reporter, signal }: Services,
): Promise<AsyncDisposable> {
  return states.lock(SCALE_LOCK_NAME, {
    purpose,
    signal,
    onWait: (holder) =>
      reporter.report({
        type: 'message',
        level: 'info',
        text: `${waitingFor(holder)}, which changes the number of replicas`,
      }),
  });
}
