import type { Box } from '../../boxes/box.ts';
import { VmError } from '../../errors.ts';
import type { BoxReference, MachineSpec } from '../../machinefile/spec.ts';
import { BoxChoice, type LockMode } from '../box-lock.ts';
import { forEachParallel } from '../parallel.ts';
import { findTargets, type Project, requireSpec } from '../project.ts';
import { checkNamedSteps } from '../provision/choice.ts';
import type { Services } from '../services.ts';
import { checkCloudInit } from './cloud-init.ts';
import { type UpOptions, type UpOutcome, type UpTarget, upMachine } from './machine.ts';
import { undefinedIfDamaged } from './start.ts';

export interface UpRequest {
  readonly lock: LockMode;
  readonly patterns: readonly string[];
  readonly options: UpOptions;
  /** How many machines at a time. */
  readonly parallel: number;
}

/** Creates, starts, waits, syncs, provisions the selected machines: only what is missing. */
export async function up(project: Project, request: UpRequest, services: Services): Promise<UpOutcome[]> {
  const specs = await selectSpecs(project, request.patterns);
  checkNamedSteps(
    request.options.provision,
    specs.flatMap((spec) => spec.provision),
  );
  const targets = await withBoxes(project, specs, { lock: request.lock, recreate: request.options.recreate, services });
  try {
    return await forEachParallel(targets, request.parallel, (target) =>
      upMachine(project, target, { options: request.options, services }),
    );
  } catch (error) {
    await project.states.removeIfEmpty().catch(() => {
      // A folder that stays behind empty matters less than the failure.
    });
    throw error;
  }
}

/** The machines meant: named ones, or all that start by themselves. */
export async function selectSpecs(project: Project, patterns: readonly string[]): Promise<MachineSpec[]> {
  requireSpec(project);
  const selected = await findTargets(project, patterns);
  const specs = selected.flatMap(({ spec }) => (spec === undefined ? [] : [spec]));
  return patterns.length === 0 ? specs.filter(({ autostart }) => autostart) : specs;
}

/** Each box is found, or made, once, before any machine is touched. */
export async function withBoxes(
  project: Project,
  specs: readonly MachineSpec[],
  { lock, recreate, services }: { readonly lock: LockMode; readonly recreate: boolean; readonly services: Services },
): Promise<UpTarget[]> {
  const { name: projectName } = requireSpec(project);
  const choice = await BoxChoice.open(project.projectDir, services);
  const targets: UpTarget[] = [];
  for (const spec of specs) {
    // A damaged record is told of when the machine's turn comes.
    const existing = await project.states.read(spec.name).catch(undefinedIfDamaged);
    const own = recreate || lock === 'refuse' ? undefined : existing?.box?.key;
    const box = spec.box && (await choose(choice, { spec, reference: spec.box, own }, services));
    if (box) checkCloudInit(spec, box);
    targets.push({ name: spec.name, projectName, spec, box });
  }
  await choice.close(lock);
  return targets;
}

/** A machine that exists needs its own box only: that another one cannot be had must not keep it from starting. */
async function choose(
  choice: BoxChoice,
  { spec, reference, own }: { spec: MachineSpec; reference: BoxReference; own: string | undefined },
  services: Services,
): Promise<Box> {
  try {
    return await choice.choose(reference);
  } catch (error) {
    if (own === undefined || services.signal.aborted || !(error instanceof VmError)) throw error;
    const box = await services.boxes.get(own);
    const text = `goes on with the box that it stands on (${box.name} ${box.version}): ${error.message}`;
    services.reporter.report({ type: 'message', level: 'warning', subject: spec.name, text });
    return box;
  }
}
