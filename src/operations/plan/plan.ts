import type { Box } from '../../boxes/box.ts';
import { VmError } from '../../errors.ts';
import type { Nic } from '../../machine/nics.ts';
import type { MachineRecord } from '../../machine/record.ts';
import type { PendingFacts } from '../../machine/settings.ts';
import { readLockfile } from '../../machinefile/lockfile.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import { findChain } from '../layers/chain.ts';
import { planCards } from '../networks/project-networks.ts';
import type { Project } from '../project.ts';
import type { ProvisionChoice } from '../provision/choice.ts';
import { prepareSteps, type ReadyStep } from '../provision/ready-step.ts';
import type { Services } from '../services.ts';
import { findPending } from '../up/pending.ts';
import { inOrder, reportSurplus, selectSpecs } from '../up/up.ts';
import { type BoxOutlook, BoxOutlooks } from './box-outlook.ts';
import { liveSettings } from './live-settings.ts';
import { type CurrentMachine, planUp, type UpPlan } from './plan-up.ts';

export interface PlanRequest {
  readonly patterns: readonly string[];
  readonly withDependencies: boolean;
  /** Whether the selected machines would be destroyed first. */
  readonly recreate: boolean;
}

/** As `vm up` chooses without options. */
const CHOICE: ProvisionChoice = { kind: 'missing' };

/**
 * What `up` would do with the selected machines and those that they depend on, in its order. Changes nothing, takes no
 * lock, and asks neither guests nor servers.
 */
export async function plan(project: Project, request: PlanRequest, services: Services): Promise<UpPlan[]> {
  const selected = await selectSpecs(project, request.patterns);
  await reportSurplus(project, request.patterns, services);
  const specs = inOrder(project, selected, request);
  const locked = await readLockfile(project.projectDir);
  const cards = await planCards(project);
  const boxes = new BoxOutlooks({ projectDir: project.projectDir, locked, services });
  return Promise.all(
    specs.map(async (spec) => {
      const box = spec.box && (await boxes.of(spec.box));
      const wanted = { spec, box, nics: cards.get(spec.name) ?? [] };
      const current = await observe(project, wanted, services);
      const recreate = request.recreate && selected.includes(spec);
      const steps = await prepareSteps(spec);
      const isMade = recreate || current.kind === 'none';
      const cached = isMade ? await cachedSteps(project, { ...wanted, steps }, services) : [];
      const facts = { spec, box, current, recreate, steps, choice: CHOICE };
      return planUp(facts, new Set(cached));
    }),
  );
}

interface Wanted {
  readonly spec: MachineSpec;
  readonly box: BoxOutlook | undefined;
  readonly nics: readonly Nic[];
}

/** The steps that a machine would not have to run, because it would begin with a layer. */
async function cachedSteps(
  project: Project,
  { box, ...wanted }: Wanted & { readonly steps: readonly ReadyStep[] },
  services: Services,
): Promise<string[]> {
  if (box?.kind !== 'here') return [];
  const chain = await findChain(project, { ...wanted, box: box.box }, { usesSteps: true, services });
  return chain === undefined ? [] : chain.steps.slice(0, chain.doneCount).map(({ step }) => step.name);
}

/** Where `up` would stop with an error, that is what is observed. */
async function observe(project: Project, wanted: Wanted, services: Services): Promise<CurrentMachine> {
  const { spec } = wanted;
  try {
    const record = await project.states.read(spec.name);
    return record === undefined ? { kind: 'none' } : await observeExisting(project, { ...wanted, record }, services);
  } catch (error) {
    if (!(error instanceof VmError)) throw error;
    return { kind: 'broken', reason: error.message };
  }
}

async function observeExisting(
  project: Project,
  { spec, box: outlook, nics, record }: Wanted & { readonly record: MachineRecord },
  services: Services,
): Promise<CurrentMachine> {
  const layout = project.states.layout(spec.name);
  const observed = await services.providers[record.provider].state({ record, layout });
  if (observed.kind === 'broken') return observed;
  const box = record.box && (await ownBox(record.box.key, outlook, services));
  const edited = { spec, box, nics, record, wantedBoxKey: wantedBoxKey(outlook) };
  const pending = await findPending(project, edited, services);
  // A restore that was killed is begun anew.
  const kind = observed.kind === 'restoring' ? 'suspended' : observed.kind;
  return { kind, record, pending, live: liveSettings(spec, record) };
}

/** What the machine stands on, whatever the Machinefile names now. @throws StateError if it is gone or damaged. */
async function ownBox(key: string, outlook: BoxOutlook | undefined, { boxes }: Services): Promise<Box> {
  return outlook?.kind === 'here' && outlook.box.key === key ? outlook.box : boxes.get(key);
}

/** A box that is not here is another one than that on which the machine stands. */
function wantedBoxKey(outlook: BoxOutlook | undefined): PendingFacts['wantedBoxKey'] {
  switch (outlook?.kind) {
    case 'here':
      return outlook.box.key;
    case 'absent':
      return outlook.from;
    case 'nowhere':
      return outlook.name;
    case 'unlocked':
      return 'unknown';
    case undefined:
      return undefined;
  }
}
