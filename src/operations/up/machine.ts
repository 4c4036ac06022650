import type { Box } from '../../boxes/box.ts';
import type { MachineRecord } from '../../machine/record.ts';
import type { PendingSetting } from '../../machine/settings.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import { destroyMachine } from '../destroy-machine.ts';
import type { LazyGuest } from '../guest.ts';
import { awaitHealthy } from '../health/await-healthy.ts';
import { withHooks } from '../hooks.ts';
import type { LayerWriter } from '../layers/layer-writer.ts';
import { lockMachine } from '../machine-lock.ts';
import { applyNames } from '../networks/converge.ts';
import type { MachineNetwork } from '../networks/project-networks.ts';
import type { Reached, WaitAside } from '../order/run-in-order.ts';
import type { Project } from '../project.ts';
import type { ProvisionChoice } from '../provision/choice.ts';
import { applyEnvironment } from '../provision/environment.ts';
import { prepareSteps } from '../provision/ready-step.ts';
import { type ProvisionResult, provisionMachine, type StepOutcome } from '../provision/steps.ts';
import type { Services } from '../services.ts';
import { syncMachine } from '../sync.ts';
import { meterRun } from '../usage/metering.ts';
import { mountVolumes } from '../volumes/mount.ts';
import { keepTemplate } from '../warm/keep-template.ts';
import { isInstalledByHand, reportUndone } from './by-hand.ts';
import { awaitCloudInit } from './cloud-init.ts';
import { indexEntryOf } from './create.ts';
import { ensureRunning } from './ensure-running.ts';
import { type MakeWork, makeMachine } from './make-machine.ts';

export interface UpOptions {
  readonly provision: ProvisionChoice;
  /** Destroys what exists first. */
  readonly recreate: boolean;
  /** Waits until its health check passes, where it has one. */
  readonly awaitsHealth?: boolean;
  /** Absent: `use`. */
  readonly layers?: LayerUse;
  /** Whether a warm machine leaves its memory for others, where none has yet; absent: it does. */
  readonly makesTemplate?: boolean;
}

/**
 * What is done about the states of disks that are kept. use: a new machine begins with one, and its own are kept; renew:
 * it begins with its box all the same, and its own are kept; off: neither.
 */
export type LayerUse = 'use' | 'renew' | 'off';

/** What `up` did with one machine. */
export interface UpOutcome {
  readonly machine: string;
  readonly created: boolean;
  readonly started: boolean;
  /** It was paused, and runs on. */
  readonly resumed: boolean;
  /** It was seen to accept a login, for which nobody waits in a machine that is installed by hand. */
  readonly ready: boolean;
  readonly stepsRun: readonly string[];
  /** Every step, in their order; none in a machine that is installed by hand. */
  readonly steps: readonly StepOutcome[];
  /** What was edited and is not true of it yet. */
  readonly pending: readonly PendingSetting[];
  readonly forwards: MachineRecord['forwards'];
}

export interface UpTarget {
  readonly name: string;
  readonly projectName: string;
  readonly spec: MachineSpec;
  /** The box the Machinefile names now. */
  readonly box: Box | undefined;
  readonly network: MachineNetwork;
}

/** Brings one machine to what the Machinefile says, doing only what is missing. Takes the machine's lock. */
export async function upMachine(project: Project, target: UpTarget, work: UpWork): Promise<UpOutcome> {
  const { name } = target.spec;
  const { services } = work;
  await using _lock = await lockMachine(project, { name, purpose: 'vm up' }, services);
  // Awaited here: the lock is given up at the end of this function.
  return await withHooks(project, { machine: name, operation: 'up' }, services, async () => {
    const { lacksTemplate, ...outcome } = await bringUp(project, target, work);
    if (lacksTemplate && work.options.makesTemplate !== false) await keepTemplate(project, target, services);
    return outcome;
  });
}

interface UpWork {
  readonly options: UpOptions;
  readonly reached?: Reached;
  readonly waitAside?: WaitAside;
  readonly services: Services;
}

/** `lacksTemplate`: it was just made, and others like it could go on from its memory. */
async function bringUp(
  project: Project,
  target: UpTarget,
  work: UpWork,
): Promise<UpOutcome & { readonly lacksTemplate: boolean }> {
  const { options, reached, waitAside, services } = work;
  const { spec } = target;
  // All are read before anything is changed: a missing script stops here, and what is kept is known by what ran.
  const steps = options.provision.kind === 'none' ? [] : await prepareSteps(spec);
  if (options.recreate) await destroyMachine(project, spec.name, services);
  const existing = await project.states.read(spec.name);
  // The project may have been moved: its machines must stay known, or their boxes would count as unused.
  if (existing) await services.index.add(indexEntryOf(existing, project));
  const made = existing
    ? { record: existing, stepsCached: [], lacksTemplate: false }
    : await makeMachine(project, target, { options, steps, waitAside, services });
  const machine = made.record;
  await using layers = made.layers;
  const running = await ensureRunning(project, { target, record: machine }, services);
  await using guest = running.guest;
  const { started, resumed, pending } = running;
  const { lacksTemplate } = made;
  const done = { machine: spec.name, created: existing === undefined, started, resumed, pending, lacksTemplate };
  if (isInstalledByHand(machine)) {
    reportUndone(spec, services);
    return { ...done, ready: false, stepsRun: [], steps: [], forwards: running.record.forwards };
  }
  reached?.('started');
  const { network } = target;
  const kept = layers ? await layers.keepBase({ record: running.record, guest }) : running.record;
  const record = await applyNames(project, { network, record: kept, guest }, services);
  const provisioned = await convergeGuest(project, { spec, record, guest }, { options, steps, layers, services });
  reached?.('provisioned');
  if (options.awaitsHealth) await awaitHealthy({ spec, record: provisioned.record, guest }, services);
  await meterRun(
    project,
    { record: provisioned.record, layout: project.states.layout(spec.name) },
    { services, guest },
  );
  const { stepsRun } = provisioned;
  const outcomes = withCached(provisioned.steps, made.stepsCached);
  return { ...done, ready: true, stepsRun, steps: outcomes, forwards: provisioned.record.forwards };
}

/** Steps that are done because a machine began with a layer were done in no other way. */
function withCached(steps: readonly StepOutcome[], cached: readonly string[]): StepOutcome[] {
  return steps.map((outcome) =>
    outcome.state === 'done' && cached.includes(outcome.step) ? { ...outcome, state: 'cached' } : outcome,
  );
}

interface ConvergeWork extends MakeWork {
  readonly layers: LayerWriter | undefined;
}

/** Volumes, cloud-init's work, environment, folders, provisioning. Connects only if one of them has something to do. */
async function convergeGuest(
  project: Project,
  machine: { readonly spec: MachineSpec; readonly record: MachineRecord; readonly guest: LazyGuest },
  { options, steps, layers, services }: ConvergeWork,
): Promise<ProvisionResult> {
  const { spec, guest } = machine;
  const layout = project.states.layout(spec.name);
  const mounted = await mountVolumes(project, machine, services);
  const booted = await awaitCloudInit(project, { ...machine, record: mounted }, services);
  const record = await applyEnvironment(project, { ...machine, record: booted }, services);
  await syncMachine(spec, { record, layout }, services);
  const work = { choice: options.provision, prepared: steps, layers, services };
  return provisionMachine(project, { spec, record, guest }, work);
}
