import type { Box } from '../../boxes/box.ts';
import { contentDigest } from '../../host/content-digest.ts';
import type { Layer } from '../../layers/layer.ts';
import type { Nic } from '../../machine/nics.ts';
import { rootDiskBytes } from '../../machine/plan.ts';
import type { PlannedVolume } from '../../machine/volume.ts';
import type { MachineSpec, StepSpec } from '../../machinefile/spec.ts';
import { prepareStep } from '../../provisioners/index.ts';
import type { PreparedStep } from '../../provisioners/provisioner.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { plannedVolumes } from '../volumes/planned.ts';
import { baseKey, type MachineFacts, stepKey } from './keys.ts';
import { findObstacle } from './obstacle.ts';

/** A step whose outcome is kept. */
export interface ChainStep {
  readonly step: StepSpec;
  readonly ready: PreparedStep;
  readonly readDigests: readonly string[];
}

/** A machine that is to be made. */
export interface ChainSubject {
  readonly spec: MachineSpec;
  readonly box: Box | undefined;
  readonly nics: readonly Nic[];
}

type NewGuest = ChainSubject & { readonly box: Box };

/** What a new machine would go through up to the first step whose outcome is not kept, and how far others have come. */
export interface StepChain {
  readonly facts: MachineFacts;
  readonly baseKey: string;
  readonly steps: readonly ChainStep[];
  /** The furthest state that is there; undefined: the machine begins with its box. */
  readonly layer: Layer | undefined;
  /** How many of the steps have been done in it. */
  readonly doneCount: number;
  /** What the key of the step behind them begins with. */
  readonly parent: string;
}

/**
 * Looks for the layers that a new machine can begin with. Undefined where its states cannot be kept.
 * @throws VmError if a step reads a file of the host that is not there.
 */
export async function findChain(
  project: Project,
  target: ChainSubject,
  { usesSteps, services }: { readonly usesSteps: boolean; readonly services: Services },
): Promise<StepChain | undefined> {
  const { spec, box, nics } = target;
  if (box === undefined || (await findObstacle(project, target, services)) !== undefined) return undefined;
  const facts = await machineFacts(project, { spec, box, nics }, services);
  const key = baseKey(facts);
  const steps = await keptSteps(spec.provision, services);
  const base = { facts, baseKey: key, steps, layer: await findLayer(key, { services, machine: spec.name }) };
  const none: StepChain = { ...base, doneCount: 0, parent: key };
  return usesSteps ? furthest(none, services) : none;
}

async function machineFacts(
  project: Project,
  { spec, box, nics }: NewGuest,
  services: Services,
): Promise<MachineFacts> {
  return {
    spec,
    box,
    accel: services.resolveAccelerator(spec.accel),
    diskBytes: rootDiskBytes(spec, box),
    nics,
    volumes: await filesystems(project, plannedVolumes(project, spec)),
  };
}

/** A volume that is not there yet is in no state that somebody could have kept. */
async function filesystems(project: Project, volumes: readonly PlannedVolume[]): Promise<MachineFacts['volumes']> {
  return Promise.all(
    volumes.map(async ({ name, guestPath }) => {
      const state = await project.states.volumes.read(name);
      return { guestPath, uuid: state?.kind === 'whole' ? state.record.uuid : `new ${name}` };
    }),
  );
}

/** Up to the first whose outcome is not kept. Those that never run by themselves leave no trace. */
async function keptSteps(provision: readonly StepSpec[], { signal }: Services): Promise<ChainStep[]> {
  const candidates = provision.filter(({ run }) => run !== 'never');
  const end = candidates.findIndex(({ run, cache }) => run === 'always' || cache === undefined);
  const kept = end < 0 ? candidates : candidates.slice(0, end);
  return Promise.all(
    kept.map(async (step) => ({
      step,
      ready: await prepareStep(step.action),
      readDigests: await Promise.all((step.cache?.readPaths ?? []).map((path) => contentDigest(path, signal))),
    })),
  );
}

/** A deeper layer counts also where one between is gone: it holds all that the steps before it did. */
async function furthest(chain: StepChain, services: Services): Promise<StepChain> {
  const { facts, steps } = chain;
  let found = chain;
  let parent: string | undefined = chain.baseKey;
  for (const [index, { step, ready, readDigests }] of steps.entries()) {
    if (parent === undefined) break;
    const key = stepKey({ parent, fingerprint: ready.fingerprint, readDigests }, facts);
    const maxAgeMs = step.cache?.ttlMs;
    const layer = await findLayer(key, { services, machine: facts.spec.name, maxAgeMs });
    parent = isTimed(step) ? layer?.id : key;
    if (layer !== undefined) found = { ...chain, layer, doneCount: index + 1, parent: parent ?? key };
  }
  return found;
}

/**
 * What is done for a limited time counts once: what stands on it must not be taken for something that stands on a later
 * repetition.
 */
export function isTimed({ cache }: StepSpec): boolean {
  return cache?.ttlMs !== undefined;
}

export async function findLayer(
  key: string,
  { services, machine, maxAgeMs }: { services: Services; machine: string; maxAgeMs?: number | undefined },
): Promise<Layer | undefined> {
  return services.layers.find(key, {
    maxAgeMs,
    signal: services.signal,
    onDamaged: ({ id }, reason) =>
      services.reporter.report({
        type: 'message',
        level: 'warning',
        subject: machine,
        text: `the layer ${id} is damaged, and made anew: ${reason}`,
      }),
  });
}
