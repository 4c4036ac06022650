import { randomUUID } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { asRoot } from '../../communicators/as-root.ts';
import { inPhase } from '../../context.ts';
import { GuestError, StateError, VmError } from '../../errors.ts';
import { readTail } from '../../host/files.ts';
import { waitFor } from '../../host/wait.ts';
import type { PendingLayer } from '../../layers/layer.ts';
import type { Nic } from '../../machine/nics.ts';
import { macAddressOf } from '../../machine/plan.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import { handleOf, type RecordedMachine } from '../../providers/provider.ts';
import { LazyGuest } from '../guest.ts';
import { findChain } from '../layers/chain.ts';
import { describeFrozen, freezableDisks } from '../layers/freezing.ts';
import { findObstacle } from '../layers/obstacle.ts';
import { NO_NETWORK } from '../networks/project-networks.ts';
import { openWorkshop, workshopSpec } from '../packaging/workshop.ts';
import type { Project } from '../project.ts';
import { prepareSteps } from '../provision/ready-step.ts';
import type { Services } from '../services.ts';
import { awaitReady } from '../up/await-ready.ts';
import { createMachine } from '../up/create.ts';
import type { UpTarget } from '../up/machine.ts';
import { startMachine } from '../up/start.ts';
import { AGENT_CHECK, AGENT_LAUNCH, ASLEEP } from './agent.ts';
import { findTemplate, type WantedTemplate, wantedTemplate } from './find-template.ts';
import { warmObstacle } from './obstacle.ts';

/** Its boot may not be over yet when it can be logged in to. */
const SLEEP_TIMEOUT_MS = 120_000;

/** Makes the template that further machines of this kind begin with, unless it is there. Without it they boot. */
export async function keepTemplate(project: Project, target: UpTarget, services: Services): Promise<void> {
  const { spec, box } = target;
  const warn = (reason: string) =>
    services.reporter.report({
      type: 'message',
      level: 'warning',
      subject: spec.name,
      text: `warm: its memory is not kept for other machines: ${reason}`,
    });
  const obstacle = warmObstacle(spec, box) ?? (await findObstacle(project, target, services));
  if (obstacle !== undefined) return warn(obstacle);
  try {
    const subject = { ...target, nics: target.network.nics, steps: await prepareSteps(spec) };
    const chain = await findChain(project, subject, { usesSteps: true, services });
    const wanted = chain && (await wantedTemplate(project, target, { chain, services }));
    if (wanted && (await findTemplate(wanted, spec.name, services)) !== undefined) return;
    const guestObstacle = await askGuest(project, spec.name, services);
    if (guestObstacle !== undefined) return warn(guestObstacle);
    if (wanted === undefined) return warn('not all of its steps are kept');
    // Of machines that come up at once, one makes it.
    await using _lock = await services.layers.lock(wanted.key, { purpose: 'vm up', signal: services.signal });
    if ((await findTemplate(wanted, spec.name, services)) !== undefined) return;
    await inPhase(services, spec.name, 'keep memory', () => makeTemplate(target, wanted, services));
  } catch (error) {
    if (!(error instanceof VmError) || services.signal.aborted) throw error;
    warn(error.message);
  }
}

/** Why the guest cannot go on as another machine; undefined where it can. Its box may be older than this vm. */
async function askGuest(project: Project, name: string, services: Services): Promise<string | undefined> {
  const record = await project.states.read(name);
  if (record === undefined) throw new StateError(`${name} was destroyed meanwhile`);
  await using guest = new LazyGuest({ record, layout: project.states.layout(name) }, services);
  const communicator = await guest.communicator();
  const { exitCode, stderr } = await communicator.exec({ script: asRoot(AGENT_CHECK), signal: services.signal });
  return exitCode === 0 ? undefined : stderr.trim();
}

async function makeTemplate(target: UpTarget, wanted: WantedTemplate, services: Services): Promise<void> {
  const { layers } = services;
  const { key, base, box } = wanted;
  const spec = templateSpec(target.spec);
  const pending = await layers.begin(key);
  try {
    await using workshop = await openWorkshop(spec, services);
    const machine = await bootTemplate(
      workshop.project,
      { spec, wanted, pending, nics: target.network.nics },
      services,
    );
    const provider = services.providers[spec.provider];
    await provider.saveMemory(machine, pending.template.memory, services);
    await provider.stop(handleOf(machine), { force: true }, services);
    const disks = freezableDisks(machine.record, machine.layout, pending);
    for (const { path, frozenPath } of disks) await rename(path, frozenPath);
    await layers.publish(
      pending,
      {
        key,
        parentKey: base?.key,
        baseId: base?.id,
        boxKey: box.key,
        step: base?.step,
        stepFingerprint: base?.stepFingerprint,
        disks: await describeFrozen(disks),
        hasTemplate: true,
        createdAt: new Date().toISOString(),
        madeBy: { project: target.projectName, machine: target.name },
      },
      services.signal,
    );
  } catch (error) {
    await layers.discard(pending);
    throw error;
  }
}

/** A machine of nobody: what it is called, and its keys, are in the template, and replaced in each that begins with it. */
function templateSpec(spec: MachineSpec): MachineSpec {
  const { name, disks, ssh } = spec;
  return {
    ...workshopSpec(spec),
    name: `${name}-template`.slice(-63),
    hostname: 'template',
    disks,
    networks: [],
    ssh: { ...ssh, port: undefined, privateKeyPath: undefined },
  };
}

interface TemplateMachine {
  readonly spec: MachineSpec;
  readonly wanted: WantedTemplate;
  readonly pending: PendingLayer;
  /** Of those that will begin with it. */
  readonly nics: readonly Nic[];
}

/** Boots it with its RAM in the template's file, until it waits for what a machine is told that begins with that. */
async function bootTemplate(
  project: Project,
  { spec, wanted, pending, nics }: TemplateMachine,
  services: Services,
): Promise<RecordedMachine> {
  const { box, base } = wanted;
  const { ramPath } = pending.template;
  // QEMU would let others read what it makes.
  await writeFile(ramPath, '', { mode: 0o600 });
  const start = base && { layer: base, steps: {} };
  const network = NO_NETWORK;
  const made = await createMachine(project, { spec, box, projectName: spec.name, network, start }, services);
  const ownNics = nics.map((nic) => ({ ...nic, macAddress: macAddressOf(randomUUID()) }));
  const ram = { path: ramPath, use: 'template', nics: ownNics } as const;
  const started = await startMachine(project, { spec, box, network, record: made, ram }, services);
  const { record, guest } = await awaitReady(project, { spec, box, ...started }, services);
  const machine = { record, layout: project.states.layout(spec.name) };
  await launchAgent(guest, services);
  await waitFor(async () => ((await readTail(machine.layout.serialLogPath)).includes(ASLEEP) ? true : undefined), {
    what: 'the guest to be ready to become another machine',
    timeoutMs: SLEEP_TIMEOUT_MS,
    signal: services.signal,
  });
  return machine;
}

/** It goes on alone once nobody is connected. */
async function launchAgent(connected: LazyGuest, { signal }: Services): Promise<void> {
  await using guest = connected;
  const communicator = await guest.communicator();
  const { exitCode, stderr } = await communicator.exec({ script: asRoot(AGENT_LAUNCH), signal });
  if (exitCode !== 0) throw new GuestError(stderr.trim(), { exitCode });
}
