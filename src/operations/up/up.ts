import type { Box } from '../../boxes/box.ts';
import { VmError } from '../../errors.ts';
import { readHostCapacity } from '../../host/capacity.ts';
import type { BoxReference, MachineSpec } from '../../machinefile/spec.ts';
import { BoxChoice, type LockMode } from '../box-lock.ts';
import { NO_NETWORK, type ProjectNetworks, planNetworks } from '../networks/project-networks.ts';
import { refreshNames } from '../networks/refresh-names.ts';
import { neededHealthy, withDependencies } from '../order/graph.ts';
import { fittingParallelism } from '../order/parallelism.ts';
import { runInOrder } from '../order/run-in-order.ts';
import { clearAbandonedWorkshops } from '../packaging/workshop.ts';
import type { Skipped } from '../parallel.ts';
import { yieldPorts } from '../ports/yield-ports.ts';
import { findTargets, type Project, requireSpec, type Target } from '../project.ts';
import { checkNamedSteps } from '../provision/choice.ts';
import { surplusReplicas } from '../scale/plan.ts';
import { isNamed } from '../select-targets.ts';
import type { Services } from '../services.ts';
import { checkCloudInit } from './cloud-init.ts';
import { compareWithHost } from './host-limits.ts';
import { type UpOptions, type UpOutcome, type UpTarget, upMachine } from './machine.ts';

export interface UpRequest {
  readonly lock: LockMode;
  readonly patterns: readonly string[];
  /** Whether what the selected machines depend on is brought up, too. */
  readonly withDependencies: boolean;
  /** For the selected machines. What they depend on is never made anew, nor provisioned again, for their sake. */
  readonly options: UpOptions;
  /** How many machines at a time; absent: as many as suit this host. */
  readonly parallel: number | undefined;
}

/**
 * Creates, starts, waits, syncs, provisions the selected machines, and first what they depend on: only what is missing.
 * @throws the only error; SeveralFailedError where more failed, or where some were skipped because one failed.
 */
export async function up(project: Project, request: UpRequest, services: Services): Promise<UpOutcome[]> {
  const { options, lock } = request;
  const selected = await selectSpecs(project, request.patterns);
  await reportSurplus(project, request.patterns, services);
  checkNamedSteps(
    options.provision,
    selected.flatMap((spec) => spec.provision),
  );
  const specs = inOrder(project, selected, request);
  const recreated = options.recreate ? selected : [];
  const networks = await planNetworks(project, services);
  const targets = await withBoxes(project, specs, { lock, recreated, networks, services });
  // A copy that runs there keeps the machine that it was made of from starting.
  await clearAbandonedWorkshops(services);
  await compareWithHost(project, specs, services);
  await yieldPorts(project, specs, services);
  const healthy = neededHealthy(specs);
  const optionsFor = ({ name, spec }: UpTarget): UpOptions => ({
    ...(selected.includes(spec) ? options : dependencyOptions(options)),
    awaitsHealth: options.awaitsHealth || healthy.has(name),
  });
  const order = {
    limit: request.parallel ?? fittingParallelism(readHostCapacity(), specs),
    onSkip: (skipped: Skipped) => reportSkipped(skipped, services),
  };
  await refreshNames(project, { networks, except: specs.map(({ name }) => name) }, services);
  const ordered = targets.map((target) => ({ ...target, dependsOn: target.spec.dependsOn }));
  try {
    return await runInOrder(ordered, order, (target, reached, waitAside) =>
      upMachine(project, target, { options: optionsFor(target), reached, waitAside, services }),
    );
  } catch (error) {
    await project.states.removeIfEmpty().catch(() => {
      // A folder that stays behind empty matters less than the failure.
    });
    throw error;
  }
}

function dependencyOptions({ provision }: UpOptions): UpOptions {
  return { provision: { kind: provision.kind === 'none' ? 'none' : 'missing' }, recreate: false };
}

function reportSkipped({ subject, because }: Skipped, { reporter }: Services): void {
  reporter.report({ type: 'message', level: 'warning', subject, text: `skipped, because ${because} failed` });
}

/** Replicas beyond the number that there are to be are left as they are: only their user knows what is on them. */
export async function reportSurplus(
  project: Project,
  patterns: readonly string[],
  { reporter }: Services,
): Promise<void> {
  const counts = requireSpec(project).groups.map(({ template, replicas }) => [template.name, replicas] as const);
  for (const { name, of, wanted } of surplusReplicas(await findTargets(project, patterns), new Map(counts))) {
    const text = `exists beyond replicas: ${wanted}; vm scale ${of}=${wanted} or vm destroy ${name} removes it`;
    reporter.report({ type: 'message', level: 'warning', subject: name, text });
  }
}

/** Each machine after those that it depends on, which are added: what is needed starts whatever else is said of it. */
export function inOrder(
  project: Project,
  selected: readonly MachineSpec[],
  options: { readonly withDependencies: boolean },
): MachineSpec[] {
  const all = options.withDependencies ? requireSpec(project).machines : selected;
  return withDependencies(all, new Set(selected.map(({ name }) => name)));
}

/** The machines meant: named ones, those of the active profiles that a glob selects, or all that start by themselves. */
export async function selectSpecs(project: Project, patterns: readonly string[]): Promise<MachineSpec[]> {
  requireSpec(project);
  const selected = await findTargets(project, patterns);
  const isMeant = (target: Target) =>
    isNamed(target, patterns) || (target.isActive && (patterns.length > 0 || target.spec?.autostart));
  return selected.filter(isMeant).flatMap(({ spec }) => spec ?? []);
}

interface BoxesRequest {
  readonly lock: LockMode;
  /** Those that do not stay on the box that they have. */
  readonly recreated: readonly MachineSpec[];
  readonly networks: ProjectNetworks;
  readonly services: Services;
}

/** Each box is found, or made, once, before any machine is touched. */
export async function withBoxes(
  project: Project,
  specs: readonly MachineSpec[],
  { lock, recreated, networks, services }: BoxesRequest,
): Promise<UpTarget[]> {
  const { name: projectName } = requireSpec(project);
  const choice = await BoxChoice.open(project.projectDir, services);
  const targets: UpTarget[] = [];
  for (const spec of specs) {
    // A damaged record is told of when the machine's turn comes.
    const existing = await project.states.readIfWhole(spec.name);
    const own = recreated.includes(spec) || lock === 'refuse' ? undefined : existing?.box?.key;
    const box = spec.box && (await choose(choice, { spec, reference: spec.box, own }, services));
    checkCloudInit(spec, box);
    const network = networks.get(spec.name) ?? NO_NETWORK;
    targets.push({ name: spec.name, projectName, spec, box, network });
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
