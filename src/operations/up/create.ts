import { randomUUID } from 'node:crypto';
import type { Box } from '../../boxes/box.ts';
import { readUserPublicKey } from '../../communicators/user-key.ts';
import { inPhase } from '../../context.ts';
import type { Layer } from '../../layers/layer.ts';
import { machineRuntimeDir } from '../../machine/layout.ts';
import type { IndexEntry } from '../../machine/machine-index.ts';
import { macAddressOf, planMachine } from '../../machine/plan.ts';
import { type MachineRecord, type PortForward, RECORD_FORMAT, type SshRecord } from '../../machine/record.ts';
import { fixedSettings } from '../../machine/settings.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import type { RecordedMachine } from '../../providers/provider.ts';
import type { MachineNetwork } from '../networks/project-networks.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { checkVolumes } from '../volumes/hold.ts';
import { plannedVolumes } from '../volumes/planned.ts';
import { copyFirmwareVariables, copyIdentity, createIdentity } from './identity.ts';

const FALLBACK_USER = 'vm';

/** The record of a machine that is about to be created. */
export function newRecord(project: string, spec: MachineSpec, box: Box | undefined, runtimeDir: string): MachineRecord {
  const id = randomUUID();
  return {
    format: RECORD_FORMAT,
    id,
    project,
    machine: spec.name,
    replica: spec.replica,
    cloneOf: spec.cloneOf,
    provider: spec.provider,
    createdAt: new Date().toISOString(),
    box: box && { key: box.key, name: box.name, version: box.version, extraDiskCount: box.extraDisks.length },
    disks: spec.disks.map(({ name, format }) => ({ name, format })),
    ssh: { hostIp: '127.0.0.1', port: 0, ...sshSettings(spec, box) },
    forwards: [],
    macAddress: macAddressOf(id),
    runtimeDir: machineRuntimeDir(runtimeDir, id),
    started: undefined,
    ready: undefined,
    environmentFingerprint: undefined,
    steps: {},
  };
}

/** What the Machinefile says of SSH, as it is recorded. */
export function sshSettings({ ssh }: MachineSpec, box: Box | undefined): Omit<SshRecord, 'hostIp' | 'port'> {
  const { privateKeyPath, forwardAgent, forwardX11, extraArgs } = ssh;
  return { user: ssh.user ?? box?.user ?? FALLBACK_USER, privateKeyPath, forwardAgent, forwardX11, extraArgs };
}

/** The record with its forwards; the first of them is SSH's. */
export function withForwards(record: MachineRecord, forwards: readonly PortForward[]): MachineRecord {
  return { ...record, forwards, ssh: { ...record.ssh, port: forwards[0]?.host ?? 0 } };
}

/** How this host knows the machine. */
export function indexEntryOf({ id, machine, provider }: MachineRecord, { projectDir }: Project): IndexEntry {
  return { id, projectDir, machine, provider };
}

/** Keeps a box from being removed while a machine is made on it. @throws StateError if it is gone or damaged. */
async function holdBox(box: Box | undefined, { boxes, signal }: Services): Promise<AsyncDisposable | undefined> {
  if (box === undefined) return undefined;
  const lock = await boxes.lock(box.key, { purpose: 'vm up', signal });
  try {
    await boxes.get(box.key);
    return lock;
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
}

/** Keeps a layer from being removed while a machine is made on it. @throws StateError if it is gone or damaged. */
async function holdLayer(layer: Layer | undefined, { layers, signal }: Services): Promise<AsyncDisposable | undefined> {
  if (layer === undefined) return undefined;
  const lock = await layers.lock(layer.id, { purpose: 'vm up', signal });
  try {
    await layers.get(layer.id);
    await layers.markUsed(layer.id);
    return lock;
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
}

export interface NewMachine {
  readonly spec: MachineSpec;
  readonly box: Box | undefined;
  readonly projectName: string;
  readonly network: MachineNetwork;
  /** The state that its disks begin with in place of the box's, and the steps that were done in it. */
  readonly start?: { readonly layer: Layer; readonly steps: MachineRecord['steps'] } | undefined;
  /** The machine whose disk it stands on in place of the box's: it can be entered in the same way, and only so. */
  readonly original?: RecordedMachine;
}

/** What is true of a machine's disk, and so of one that stands on it; the guest may know its network card by the address. */
function takenOver({ isEntered, environmentFingerprint, macAddress }: MachineRecord) {
  return { isCopy: true, environmentFingerprint, macAddress, ...(isEntered !== undefined && { isEntered }) };
}

/**
 * Makes the machine: keys, disks, record; all of it or nothing. Call with the machine's lock held.
 * Killed at any instant it leaves a staging folder, which the next `up` or `destroy` of the machine removes.
 */
export async function createMachine(project: Project, machine: NewMachine, services: Services): Promise<MachineRecord> {
  const { spec, box, projectName, network, start, original } = machine;
  const { states } = project;
  const provider = services.providers[spec.provider];
  const facts = {
    ...newRecord(projectName, spec, box, services.dirs.runtimeDir),
    nics: network.nics,
    ...(start && { layer: start.layer.id, steps: start.steps }),
    ...(original && takenOver(original.record)),
  };
  const accel = services.resolveAccelerator(spec.accel);
  const volumes = plannedVolumes(project, spec);
  const base = new Map(start?.layer.disks.map(({ id, path }) => [id, path]));
  const layout = states.layout(spec.name);
  const plan = planMachine({ spec, box, base, accel, volumes, layout, nics: network.nics, record: facts });
  const record = { ...facts, madeWith: fixedSettings(plan) };
  await provider.check(plan);
  await checkVolumes(project, plan, services);
  if (spec.ssh.privateKeyPath !== undefined) await readUserPublicKey(spec.ssh.privateKeyPath);
  return inPhase(services, spec.name, 'create', async () => {
    await using _box = await holdBox(box, services);
    await using _layer = await holdLayer(start?.layer, services);
    const staged = await states.stage(spec.name);
    try {
      if (original === undefined) await createIdentity(staged, spec.name);
      else await copyIdentity(original.layout, staged);
      await provider.create({ ...plan, layout: staged }, services);
      if (original !== undefined) await copyFirmwareVariables(original.layout, staged);
      await states.write(record, staged);
      await services.index.add(indexEntryOf(record, project));
      await states.commit(spec.name, staged);
    } catch (error) {
      await services.index.remove(record.id);
      await states.removeLeftovers(spec.name);
      throw error;
    }
    return record;
  });
}
