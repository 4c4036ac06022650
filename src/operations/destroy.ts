import { destroyMachine } from './destroy-machine.ts';
import { clearLeftovers } from './leftovers.ts';
import { lockMachine, lockScale } from './machine-lock.ts';
import { clearAbandonedWorkshops } from './packaging/workshop.ts';
import { forEachParallel } from './parallel.ts';
import { findTargets, type Project, type Target } from './project.ts';
import type { Services } from './services.ts';

/** Names of the machines that `vm destroy` would remove. */
export async function machinesToDestroy(project: Project, patterns: readonly string[]): Promise<string[]> {
  const targets = await findTargets(project, patterns);
  return targets.filter(({ exists }) => exists).map(({ name }) => name);
}

/** Removes the selected machines: no process, port, socket or file of theirs is left. Works without a Machinefile. */
export async function destroy(project: Project, patterns: readonly string[], services: Services): Promise<string[]> {
  const targets = await findTargets(project, patterns);
  const isMeant = () => patterns.length === 0;
  const destroyed = (await project.states.exists())
    ? await destroyTargets(project, { targets, isMeant }, services)
    : [];
  await clearAbandonedWorkshops(services);
  return destroyed;
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
