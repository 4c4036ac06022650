import { destroyMachine } from './destroy-machine.ts';
import { clearLeftovers, clearVolumeLeftovers } from './leftovers.ts';
import { lockMachine, lockScale } from './machine-lock.ts';
import { clearAbandonedWorkshops } from './packaging/workshop.ts';
import { forEachParallel } from './parallel.ts';
import { findTargets, type Project, type Target } from './project.ts';
import { clearAbandonedRuns, removeEmptyRun } from './run/clear-runs.ts';
import type { Services } from './services.ts';
import { volumesOf } from './volumes/users.ts';
import { checkDetached, removeVolumes } from './volumes/volumes.ts';

/** What `vm destroy` is about. */
export interface DestroyPlan {
  /** Names of the machines that exist. */
  readonly machines: readonly string[];
  /** Names of the volumes that exist, and belong to these machines; where all machines are meant, of all volumes. */
  readonly volumes: readonly string[];
}

/** What `vm destroy` would remove; of the volumes only if that is asked for. */
export async function planDestroy(project: Project, patterns: readonly string[]): Promise<DestroyPlan> {
  const targets = await findTargets(project, patterns);
  return {
    machines: targets.filter(({ exists }) => exists).map(({ name }) => name),
    volumes: await volumesToDestroy(project, { patterns, targets }),
  };
}

async function volumesToDestroy(
  project: Project,
  { patterns, targets }: { readonly patterns: readonly string[]; readonly targets: readonly Target[] },
): Promise<string[]> {
  const existing = await project.states.volumes.list();
  if (patterns.length === 0) return existing;
  const used = await Promise.all(targets.map((target) => volumesOf(project, target)));
  return existing.filter((name) => used.flat().some((volume) => volume.name === name));
}

/**
 * Removes the selected machines: no process, port, socket or file of theirs is left but their volumes; with
 * `removesVolumes` neither these. Works without a Machinefile. Gives what was there.
 * @throws StateError if a machine that stays has one of the volumes while it runs: nothing is removed then.
 */
export async function destroy(
  project: Project,
  patterns: readonly string[],
  { removesVolumes, services }: { readonly removesVolumes: boolean; readonly services: Services },
): Promise<DestroyPlan> {
  const targets = await findTargets(project, patterns);
  // Before the machines are gone, and with them what they were started with.
  const volumes = await volumesToDestroy(project, { patterns, targets });
  const names = targets.map(({ name }) => name);
  if (removesVolumes) await checkDetached(project, volumes, services, names);
  const isMeant = () => patterns.length === 0;
  const machines = (await project.states.exists()) ? await destroyTargets(project, { targets, isMeant }, services) : [];
  if (removesVolumes) await removeVolumes(project, volumes, { purpose: 'vm destroy', services });
  await removeEmptyRun(project, services);
  await clearAbandonedWorkshops(services);
  await clearAbandonedRuns(services);
  return { machines, volumes };
}

async function destroyTargets(
  project: Project,
  { targets, isMeant }: { readonly targets: readonly Target[]; readonly isMeant: (machine: string) => boolean },
  services: Services,
): Promise<string[]> {
  const destroyed = await forEachParallel(targets, targets.length, async ({ name, exists }) => {
    {
      await using _lock = await lockMachine(project, { name, purpose: 'vm destroy' }, services);
      await destroyMachine(project, name, services);
    }
    return exists ? name : undefined;
  });
  await clearLeftovers(project, { isMeant, purpose: 'vm destroy' }, services);
  await clearVolumeLeftovers(project, 'vm destroy', services);
  await forgetScale(project, services);
  await project.states.removeIfEmpty();
  return destroyed.filter((name) => name !== undefined);
}

/** What `vm scale` has said goes with the last machine; one that is at work is waited for, because it may make others. */
async function forgetScale({ states }: Project, services: Services): Promise<void> {
  if (!(await states.isScaled()) || (await states.list()).length > 0) return;
  await using _lock = await lockScale(states, 'vm destroy', services);
  if ((await states.list()).length === 0) await states.writeScale(new Map());
}
