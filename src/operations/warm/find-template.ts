import type { Box } from '../../boxes/box.ts';
import { sha256 } from '../../host/files.ts';
import { contentIdOf, type Layer } from '../../layers/layer.ts';
import { planMachine } from '../../machine/plan.ts';
import { findLayer, type StepChain } from '../layers/chain.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { newRecord } from '../up/create.ts';
import type { UpTarget } from '../up/machine.ts';
import { AGENT_VERSION } from './agent.ts';
import { warmObstacle } from './obstacle.ts';

/** The template that new machines of a kind begin with. */
export interface WantedTemplate {
  readonly key: string;
  readonly box: Box;
  /** The disks that it stands on; undefined: those of the box. */
  readonly base: Layer | undefined;
}

/** Undefined where machines of this kind boot, or not all of their steps that are kept have been done in `chain`. */
export async function wantedTemplate(
  project: Project,
  target: UpTarget,
  { chain, services }: { readonly chain: StepChain; readonly services: Services },
): Promise<WantedTemplate | undefined> {
  const { spec, box, network } = target;
  const { facts, layer: base, doneCount, steps } = chain;
  if (!spec.isWarm || box === undefined || warmObstacle(spec, box) !== undefined) return undefined;
  if (doneCount < steps.length || (steps.length > 0 && base === undefined)) return undefined;
  const { accel } = facts;
  const layout = project.states.layout(spec.name);
  const record = newRecord(target.projectName, spec, box, services.dirs.runtimeDir);
  const plan = planMachine({ spec, box, accel, volumes: [], layout, nics: network.nics, record });
  const traits = await services.providers[spec.provider].templateTraits(plan);
  return {
    key: sha256(JSON.stringify(['template', AGENT_VERSION, base ? contentIdOf(base) : chain.baseKey, traits])),
    box,
    base,
  };
}

/** It, if it is there and whole. One that is damaged is told of. */
export function findTemplate({ key }: WantedTemplate, machine: string, services: Services): Promise<Layer | undefined> {
  return findLayer(key, { services, machine });
}
