import type { Layer } from '../../layers/layer.ts';
import type { MachineRecord } from '../../machine/record.ts';
import { findChain, type StepChain } from '../layers/chain.ts';
import { LayerWriter } from '../layers/layer-writer.ts';
import { findObstacle } from '../layers/obstacle.ts';
import { type Lead, takeLead } from '../layers/take-lead.ts';
import type { WaitAside } from '../order/run-in-order.ts';
import type { Project } from '../project.ts';
import type { ReadyStep } from '../provision/ready-step.ts';
import { stepRecordOf } from '../provision/steps.ts';
import type { Services } from '../services.ts';
import { findTemplate, wantedTemplate } from '../warm/find-template.ts';
import { createMachine } from './create.ts';
import type { UpOptions, UpTarget } from './machine.ts';

/** A machine that was just made, and never started. */
export interface Made {
  readonly record: MachineRecord;
  readonly stepsCached: readonly string[];
  /** It is to be warm, and does not begin with the memory of another. */
  readonly lacksTemplate: boolean;
  /** Absent: the states that it goes through are not kept. */
  readonly layers?: LayerWriter;
}

/** How a machine is brought up. */
export interface MakeWork {
  readonly options: UpOptions;
  /** All that the Machinefile gives it; none where none is to run. */
  readonly steps: readonly ReadyStep[];
  /** Absent: nobody else begins while it waits for another machine. */
  readonly waitAside?: WaitAside | undefined;
  readonly services: Services;
}

/** Makes a machine, of the furthest state that is kept of such a machine. */
export async function makeMachine(
  project: Project,
  target: UpTarget,
  { options, steps, waitAside, services }: MakeWork,
): Promise<Made> {
  const { provision, layers = 'use' } = options;
  if (layers === 'off') {
    return { record: await createMachine(project, target, services), stepsCached: [], lacksTemplate: false };
  }
  const usesSteps = provision.kind === 'missing' && layers === 'use';
  const look = (telling: Services) =>
    findChain(project, { ...target, nics: target.network.nics, steps }, { usesSteps, services: telling });
  const lead: Lead = usesSteps
    ? await takeLead({ machine: target.name, findChain: look, waitAside }, services)
    : { chain: await look(services) };
  try {
    return await makeFrom(project, target, { lead, options, services });
  } catch (error) {
    await lead.lock?.[Symbol.asyncDispose]();
    throw error;
  }
}

async function makeFrom(
  project: Project,
  target: UpTarget,
  { lead: { chain: found, lock }, options, services }: Pick<MakeWork, 'options' | 'services'> & { readonly lead: Lead },
): Promise<Made> {
  const { provision, layers } = options;
  const isUsed = layers !== 'renew';
  if (found === undefined) await reportObstacle(project, target, services);
  const chain = found && (isUsed ? found : { ...found, layer: undefined });
  const wanted = isUsed && chain ? await wantedTemplate(project, target, { chain, services }) : undefined;
  const template = wanted && (await findTemplate(wanted, target.name, services));
  const layer = template ?? chain?.layer;
  const start = chain && layer && { layer, steps: stepRecords(chain, layer) };
  const record = await createMachine(project, { ...target, start }, services);
  const made = {
    record,
    stepsCached: Object.keys(start?.steps ?? {}),
    lacksTemplate: target.spec.isWarm && template === undefined,
  };
  if (chain === undefined || provision.kind === 'none' || provision.kind === 'named') return made;
  return { ...made, layers: new LayerWriter(project, chain, { keepsKnown: !isUsed, lead: lock, services }) };
}

async function reportObstacle(project: Project, { spec, box }: UpTarget, services: Services): Promise<void> {
  const obstacle = await findObstacle(project, { spec, box }, services);
  if (obstacle === undefined || spec.provision.length === 0) return;
  const text = `what its steps do is not kept for the next time: ${obstacle}`;
  services.reporter.report({ type: 'message', level: 'info', subject: spec.name, text });
}

function stepRecords({ facts, steps, doneCount }: StepChain, { createdAt }: Layer): MachineRecord['steps'] {
  const done = steps.slice(0, doneCount);
  return Object.fromEntries(done.map((known) => [known.step.name, stepRecordOf(known, facts.spec, createdAt)]));
}
