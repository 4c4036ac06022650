import { basename } from 'node:path';
import { StateError } from '../../errors.ts';
import { isMakerAlive } from '../../host/maker.ts';
import { isRun, RunStore } from '../../machine/run-store.ts';
import { StateStore } from '../../machine/state-store.ts';
import { destroyMachine } from '../destroy-machine.ts';
import { lockMachine } from '../machine-lock.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';

/**
 * Removes what killed `vm run`s left: machines that were to be removed, and runs that have no machine yet. One whose
 * machine was to stay is left to its user.
 */
export async function clearAbandonedRuns(services: Services): Promise<void> {
  const runs = new RunStore(services.dirs.homeDir);
  for (const name of await runs.list()) await removeRun(name, () => isAbandoned(runs, name), services);
}

async function isAbandoned(runs: RunStore, name: string): Promise<boolean> {
  const record = await runs.read(name);
  if (record !== undefined && isMakerAlive(record.maker)) return false;
  return record?.isRemoved || (await new StateStore(runs.dirOf(name)).list()).length === 0;
}

/**
 * Removes a run with its machine, if `isMeant` still once nobody else works on it: another run may have its name by then.
 * Not to be interrupted: no machine may be left running that nobody looks after.
 */
export async function removeRun(name: string, isMeant: () => Promise<boolean>, services: Services): Promise<void> {
  if (!(await isMeant())) return;
  const uninterrupted = { ...services, signal: new AbortController().signal };
  const runs = new RunStore(services.dirs.homeDir);
  const projectDir = runs.dirOf(name);
  const spec = new StateError('a run is removed whatever its Machinefile says');
  const project = { projectDir, states: new StateStore(projectDir), spec, activeProfiles: [] };
  await using _lock = await lockMachine(project, { name, purpose: 'vm run' }, uninterrupted);
  if (!(await isMeant())) return;
  await destroyMachine(project, name, uninterrupted).catch((error: unknown) => {
    // Damaged, and unknown to the index: it was never started.
    if (!(error instanceof StateError)) throw error;
  });
  await runs.remove(name);
}

/** Removes what is left of a project that is a run, once it has no machine any more. */
export async function removeEmptyRun({ projectDir, states }: Project, services: Services): Promise<void> {
  if (!isRun(projectDir, services.dirs.homeDir)) return;
  await removeRun(basename(projectDir), async () => (await states.list()).length === 0, services);
}
