import { StateError } from '../../errors.ts';
import type { WantedReplicas } from '../../machinefile/replicas.ts';
import { destroyMachine } from '../destroy-machine.ts';
import { clearLeftovers } from '../leftovers.ts';
import { lockMachine, lockScale } from '../machine-lock.ts';
import { planNetworks } from '../networks/project-networks.ts';
import { refreshNames } from '../networks/refresh-names.ts';
import { listTargets, type Project, requireSpec } from '../project.ts';
import type { Services } from '../services.ts';
import type { UpOutcome } from '../up/machine.ts';
import { type UpRequest, up } from '../up/up.ts';
import { checkScalable, isBeyond, scaleOf, surplusReplicas } from './plan.ts';

/** Opens the project: as it is, or as it would be with these numbers of replicas. */
export type OpenScaled = (wanted?: WantedReplicas) => Promise<Project>;

export interface ScalePlan {
  /** As it is to be. */
  readonly project: Project;
  /** Names of the replicas that there are to be. */
  readonly replicas: readonly string[];
  /** Names of the machines to destroy, in this order. */
  readonly surplus: readonly string[];
}

/**
 * What `vm scale` has to do. Changes nothing.
 * @throws UsageError for a machine that cannot be scaled; MachinefileError where it does not allow so many replicas.
 */
export async function planScale(open: OpenScaled, wanted: WantedReplicas): Promise<ScalePlan> {
  const project = await open(wanted);
  const spec = requireSpec(project);
  checkScalable(spec, wanted);
  return {
    project,
    replicas: spec.machines.flatMap(({ name, replica }) => (replica && wanted.has(replica.of) ? [name] : [])),
    surplus: surplusReplicas(await listTargets(project), wanted).map(({ name }) => name),
  };
}

export interface ScaleRequest {
  readonly open: OpenScaled;
  readonly wanted: WantedReplicas;
  /** Names of the machines that may be destroyed. */
  readonly agreed: readonly string[];
  readonly up: Omit<UpRequest, 'patterns'>;
}

export interface ScaleOutcome {
  readonly machines: readonly UpOutcome[];
  /** Names of the machines that were destroyed. */
  readonly destroyed: readonly string[];
}

/**
 * Brings machines to these numbers of replicas: those that are missing come up, as by `vm up`, then those beyond are
 * destroyed. Repeatable: what was interrupted or has failed is finished by the same call.
 * @throws as `planScale` and `up`; StateError if something would be destroyed that was not agreed to. Nothing is changed
 * by the first and the last of these.
 */
export async function scale(request: ScaleRequest, services: Services): Promise<ScaleOutcome> {
  const { states } = await request.open();
  try {
    await using _lock = await lockScale(states, 'vm scale', services);
    // Awaited here: the lock is given up at the end of this block.
    return await scaleLocked(request, services);
  } finally {
    await states.removeIfEmpty().catch(() => {
      // A folder that stays behind empty matters less than how it ended.
    });
  }
}

/**
 * The numbers are remembered first. Whoever is killed later, while more come up, leaves some that `vm up` brings up, too;
 * while the surplus is removed, some that `vm up` tells of and does not touch. The other way round `vm up` would make a
 * destroyed machine again, with empty disks, or not know one that is there. And nothing is destroyed before all that is
 * wanted is up.
 */
async function scaleLocked(
  { open, wanted, agreed, up: options }: ScaleRequest,
  services: Services,
): Promise<ScaleOutcome> {
  const { project, replicas, surplus } = await planScale(open, wanted);
  const surprise = surplus.filter((name) => !agreed.includes(name));
  if (surprise.length > 0) {
    throw new StateError(`${surprise.join(', ')} came into being meanwhile, and would be destroyed`, {
      hint: 'run vm scale again',
    });
  }
  await project.states.writeScale(scaleOf(requireSpec(project).groups));
  const machines = await bringUp(project, { ...options, patterns: replicas }, services);
  for (const name of surplus) {
    await using _lock = await lockMachine(project, { name, purpose: 'vm scale' }, services);
    await destroyMachine(project, name, services);
  }
  await clearLeftovers(project, { isMeant: (name) => isBeyond(name, wanted), purpose: 'vm scale' }, services);
  return { machines, destroyed: surplus };
}

/** Brings these machines up; where there is none, the others are still told of those that are to go. */
async function bringUp(project: Project, request: UpRequest, services: Services): Promise<UpOutcome[]> {
  // Without a name all machines of the project would be meant.
  if (request.patterns.length > 0) return up(project, request, services);
  await refreshNames(project, { networks: await planNetworks(project, services), except: [] }, services);
  return [];
}
