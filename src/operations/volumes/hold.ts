import { StateError } from '../../errors.ts';
import type { LockHolder } from '../../host/lock.ts';
import type { MachinePlan } from '../../machine/plan.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import { waitingFor } from '../machine-lock.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { ensureVolume } from './ensure.ts';
import { requireFormatTool } from './format.ts';
import { explainHolder, volumeHolders } from './holders.ts';
import { plannedVolumes } from './planned.ts';

/**
 * Before a machine is made for them.
 * @throws MissingToolError if there is nothing to make volumes with; StateError if another machine has one of them.
 */
export async function checkVolumes(
  project: Project,
  { spec, volumes }: Pick<MachinePlan, 'volumes'> & { readonly spec: Pick<MachineSpec, 'name'> },
  services: Services,
): Promise<void> {
  if (volumes.length === 0) return;
  const existing = await project.states.volumes.list();
  if (volumes.some(({ name }) => !existing.includes(name))) requireFormatTool();
  const holders = await volumeHolders(project, services);
  for (const { name } of volumes) {
    const holder = holders.get(name);
    if (holder === undefined || holder.machine === spec.name) continue;
    const { doing, hint } = explainHolder(holder);
    throw new StateError(
      `${spec.name}: the volume ${name} is attached to ${holder.machine} of the project ${holder.project}, which ${doing}`,
      { hint: `one machine at a time can have it: ${hint}` },
    );
  }
}

/**
 * Makes what is missing of the volumes of a machine that is about to be started, and keeps others from them until it has
 * been: dispose it then. From there on it is seen that they are taken.
 * @throws as `checkVolumes`; StateError if one is damaged, or larger than asked for.
 */
export async function holdVolumes(project: Project, spec: MachineSpec, services: Services): Promise<AsyncDisposable> {
  const volumes = plannedVolumes(project, spec);
  const { volumes: store } = project.states;
  const locks = await lockVolumes(
    project,
    volumes.map(({ name }) => name),
    { purpose: 'vm up', services },
  );
  try {
    await checkVolumes(project, { spec, volumes }, services);
    for (const volume of volumes) await ensureVolume(store, { machine: spec.name, volume }, services);
    return locks;
  } catch (error) {
    await locks[Symbol.asyncDispose]();
    throw error;
  }
}

/** Takes the locks of volumes, always in the same order, and says whom it waits for. */
export async function lockVolumes(
  { states }: Project,
  names: readonly string[],
  { purpose, services }: { readonly purpose: string; readonly services: Services },
): Promise<AsyncDisposable> {
  const { reporter, signal } = services;
  const locks: AsyncDisposable[] = [];
  const release = async () => {
    for (const lock of locks.reverse()) await lock[Symbol.asyncDispose]();
  };
  try {
    for (const name of [...new Set(names)].sort()) {
      const onWait = (holder: LockHolder) => {
        const text = `the volume ${name}: ${waitingFor(holder)}, which is working on it`;
        reporter.report({ type: 'message', level: 'info', text });
      };
      locks.push(await states.volumes.lock(name, { purpose, signal, onWait }));
    }
    return { [Symbol.asyncDispose]: release };
  } catch (error) {
    await release();
    throw error;
  }
}
