import type { Box } from '../../boxes/box.ts';
import { StateError, VmError } from '../../errors.ts';
import { isSameProcess } from '../../host/processes.ts';
import type { MachineRecord } from '../../machine/record.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import { lockMachine } from '../machine-lock.ts';
import { applyNames } from '../networks/converge.ts';
import { type MachineNetwork, NO_NETWORK, planNetworks } from '../networks/project-networks.ts';
import { runInOrder } from '../order/run-in-order.ts';
import { findSpec, findTargets, type Project } from '../project.ts';
import type { Services } from '../services.ts';
import { awaitReady, type BootingMachine } from '../up/await-ready.ts';
import { isInstalledByHand } from '../up/by-hand.ts';
import { type RunningMachine, startMachine } from '../up/start.ts';
import { mountVolumes } from '../volumes/mount.ts';
import { restoreMachine } from './restore.ts';
import { letRunOn, settledState } from './settled-state.ts';

export interface ResumeOutcome {
  readonly machine: string;
  /** `booted`: what was in its memory could not be had any more, so it was started from its disk. */
  readonly outcome: 'resumed' | 'booted' | 'already_running' | 'not_suspended' | 'not_created';
}

/**
 * Lets the selected machines go on where they were suspended, each after those that it depends on. Neither hooks nor
 * provisioning steps run.
 */
export async function resume(
  project: Project,
  patterns: readonly string[],
  services: Services,
): Promise<ResumeOutcome[]> {
  const targets = await findTargets(project, patterns);
  const networks = project.spec instanceof VmError ? new Map() : await planNetworks(project, services);
  const ordered = targets.map((target) => ({ ...target, dependsOn: target.spec?.dependsOn ?? [] }));
  return runInOrder(ordered, { limit: targets.length }, async ({ name, exists }) => {
    if (!exists) return { machine: name, outcome: 'not_created' as const };
    await using _lock = await lockMachine(project, { name, purpose: 'vm resume' }, services);
    const record = await project.states.read(name);
    if (record === undefined) return { machine: name, outcome: 'not_created' as const };
    const spec = await findSpec(project, name);
    const network: MachineNetwork = networks.get(name) ?? NO_NETWORK;
    // Awaited here: the lock is given up at the end of this function.
    return { machine: name, outcome: await resumeMachine(project, { record, spec, network }, services) };
  });
}

export interface Resumable {
  readonly record: MachineRecord;
  readonly spec: MachineSpec | undefined;
  readonly network: MachineNetwork;
}

async function resumeMachine(
  project: Project,
  machine: Resumable,
  services: Services,
): Promise<ResumeOutcome['outcome']> {
  const { record } = machine;
  const recorded = { record, layout: project.states.layout(record.machine) };
  const observed = await settledState(recorded, services);
  switch (observed.kind) {
    case 'stopped':
      return 'not_suspended';
    case 'broken':
      throw new StateError(`${record.machine} cannot be resumed: ${observed.reason}`);
    case 'suspended':
      return goOn(project, machine, services);
    case 'paused':
      await letRunOn(recorded, services);
  }
  const { process } = observed;
  // A `vm` that let it go on was killed before it could enter the guest.
  const isUnfinished = record.isClockBehind === true && !isSameProcess(record.ready, process);
  if (isUnfinished) await enter(project, machine, { started: { record, process }, guestState: 'running' }, services);
  return observed.kind === 'paused' || isUnfinished ? 'resumed' : 'already_running';
}

/** From its memory, or else from its disk. Call with the lock of the machine, which is suspended, held. */
export async function goOn(project: Project, machine: Resumable, services: Services): Promise<'resumed' | 'booted'> {
  const { record, spec, network } = machine;
  const restored = await restoreMachine(project, { record, spec, nics: network.nics }, services);
  if (restored !== undefined) {
    await enter(project, machine, { started: restored, guestState: 'running' }, services);
    return 'resumed';
  }
  await bootMachine(project, machine, services);
  return 'booted';
}

/** Starts a machine from its disk, and waits until it is ready. Call with its lock held. */
export async function bootMachine(
  project: Project,
  { record, spec, network }: Resumable,
  services: Services,
): Promise<void> {
  const startable = requireStartable(record.machine, spec);
  const box = await boxOf(record, services);
  const started = await startMachine(project, { spec: startable, box, network, record }, services);
  await enter(project, { record, spec, network }, { started, guestState: 'booting' }, services);
}

async function enter(
  project: Project,
  { spec, network }: Resumable,
  { started, guestState }: { readonly started: RunningMachine } & Pick<BootingMachine, 'guestState'>,
  services: Services,
): Promise<void> {
  const box = await boxOf(started.record, services);
  const { record, guest } = await awaitReady(project, { spec, box, ...started, guestState }, services);
  await using _guest = guest;
  if (spec === undefined || isInstalledByHand(record)) return;
  const named = await applyNames(project, { record, network, guest }, services);
  await mountVolumes(project, { record: named, guest }, services);
}

async function boxOf({ box }: MachineRecord, { boxes }: Services): Promise<Box | undefined> {
  return box && boxes.get(box.key);
}

/** Its disk is started as the Machinefile says. */
function requireStartable(name: string, spec: MachineSpec | undefined): MachineSpec {
  if (spec !== undefined) return spec;
  throw new StateError(`${name} can only be started from its disk now, and the Machinefile does not say how`, {
    hint: `vm up ${name} starts it, once the Machinefile can be read and has it`,
  });
}
