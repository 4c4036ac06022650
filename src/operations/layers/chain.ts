import type { Box } from '../../boxes/box.ts';
import { contentIdOf, type Layer } from '../../layers/layer.ts';
import type { Nic } from '../../machine/nics.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import type { StepSpec } from '../../machinefile/step-spec.ts';
import type { Project } from '../project.ts';
import type { ReadyStep } from '../provision/ready-step.ts';
import type { Services } from '../services.ts';
import { machineFacts, readDigestsOf } from './facts.ts';
import { baseKey, type MachineFacts, stepKey } from './keys.ts';
import { findObstacle } from './obstacle.ts';

/** A step whose outcome is kept. */
export interface ChainStep extends ReadyStep {
  readonly readDigests: readonly string[];
}

/** A machine that is to be made. */
export interface ChainSubject {
  readonly spec: MachineSpec;
  readonly box: Box | undefined;
  readonly nics: readonly Nic[];
  /** All that the Machinefile gives it. */
  readonly steps: readonly ReadyStep[];
}

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
  subject: ChainSubject,
  { usesSteps, services }: { readonly usesSteps: boolean; readonly services: Services },
): Promise<StepChain | undefined> {
  const { spec, box, nics } = subject;
  if (box === undefined || (await findObstacle(project, subject, services)) !== undefined) return undefined;
  const facts = await machineFacts(project, { spec, box, nics }, services);
  const key = baseKey(facts);
  const steps = await keptSteps(subject.steps, services);
  const none: StepChain = { facts, baseKey: key, steps, layer: undefined, doneCount: 0, parent: key };
  const found = usesSteps ? await furthest(none, services) : none;
  if (found.layer !== undefined) return found;
  return { ...none, layer: await findLayer(key, { services, machine: spec.name }) };
}

/** Up to the first whose outcome is not kept. Those that never run by themselves leave no trace. */
async function keptSteps(steps: readonly ReadyStep[], services: Services): Promise<ChainStep[]> {
  const candidates = steps.filter(({ step }) => step.run !== 'never');
  const end = candidates.findIndex(({ step }) => step.run === 'always' || step.cache === undefined);
  const kept = end < 0 ? candidates : candidates.slice(0, end);
  return Promise.all(kept.map(async (known) => ({ ...known, readDigests: await readDigestsOf(known.step, services) })));
}

/**
 * The deepest layer counts, also where one between is gone: it holds all that the steps before it did. What stands on a
 * step that counts for a limited time is known by the layer of that step, so it can be looked for no further than there.
 */
async function furthest(chain: StepChain, services: Services): Promise<StepChain> {
  const { facts } = chain;
  for (const { step, key, doneCount } of reachable(chain).reverse()) {
    const layer = await findLayer(key, { services, machine: facts.spec.name, maxAgeMs: step.cache?.ttlMs });
    if (layer === undefined) continue;
    const found = { ...chain, layer, doneCount };
    return isTimed(step) ? furthest({ ...found, parent: contentIdOf(layer) }, services) : { ...found, parent: key };
  }
  return chain;
}

/** The steps behind those that are done, up to the first timed one. Pure. */
function reachable({ facts, steps, doneCount, parent }: StepChain) {
  const rest = steps.slice(doneCount);
  const timed = rest.findIndex(({ step }) => isTimed(step));
  let key = parent;
  return (timed < 0 ? rest : rest.slice(0, timed + 1)).map(({ step, ready, readDigests }, index) => {
    key = stepKey({ parent: key, fingerprint: ready.fingerprint, readDigests }, facts);
    return { step, key, doneCount: doneCount + index + 1 };
  });
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
