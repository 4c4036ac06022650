import { randomBytes } from 'node:crypto';
import { inPhase } from '../../context.ts';
import { StateError, VmError } from '../../errors.ts';
import { restoredRecord, type Snapshot } from '../../machine/snapshot.ts';
import { lineage } from '../../machine/snapshot-tree.ts';
import type { RecordedMachine } from '../../providers/provider.ts';
import { haltMachine } from '../halt.ts';
import { lockMachine } from '../machine-lock.ts';
import { NO_NETWORK, planNetworks } from '../networks/project-networks.ts';
import { findSpec, type Project, requireMachine } from '../project.ts';
import type { Services } from '../services.ts';
import { bootMachine, goOn, type Resumable } from '../suspend/resume.ts';
import { settledState } from '../suspend/settled-state.ts';
import { disksBackTo, disksInto, snapshotStore, stampDisks } from './disks.ts';
import { type ChosenSnapshot, findSnapshot, removeSnapshot } from './find.ts';
import { finishRestoring } from './settle.ts';

export interface RestoreRequest extends ChosenSnapshot {
  /** Takes it away afterwards. */
  readonly deletes: boolean;
}

export interface RestoredSnapshot extends ChosenSnapshot {
  /**
   * resumed: it goes on where the snapshot was made; booted: it was started from the snapshot's disks; stopped: it was not
   * running before, and the snapshot has no memory.
   */
  readonly outcome: 'resumed' | 'booted' | 'stopped';
}

/**
 * Takes a machine back to a snapshot. What has happened in it since is lost. Neither provisioning steps nor hooks of `up`
 * run.
 * @throws StateError if the snapshot is damaged, VmError if the host's disk is full: the machine is as before then.
 */
export async function restoreSnapshot(
  project: Project,
  request: RestoreRequest,
  services: Services,
): Promise<RestoredSnapshot> {
  const { machine: name } = request;
  const networks = project.spec instanceof VmError ? new Map() : await planNetworks(project, services);
  await using _lock = await lockMachine(project, { name, purpose: 'vm snapshot restore' }, services);
  const machine = await requireMachine(project, name);
  const snapshot = findSnapshot(await snapshotStore(machine).list(), machine, request.snapshot.id);
  const { kind } = await settledState(machine, services);
  const record = await inPhase(services, name, 'go back', () => goBack(project, { machine, snapshot }, services));
  const resumable = { record, spec: await findSpec(project, name), network: networks.get(name) ?? NO_NETWORK };
  const isRunning = kind === 'running' || kind === 'paused';
  const outcome = await bringBack(project, { ...resumable, wasRunning: isRunning, snapshot }, services);
  if (request.deletes) await removeSnapshot(project, name, snapshot.id);
  return { machine: name, snapshot, outcome };
}

interface Return {
  readonly machine: RecordedMachine;
  readonly snapshot: Snapshot;
}

/** Killed at any instant it leaves the machine where it was, stopped at worst, or where the snapshot was made. */
async function goBack(project: Project, { machine, snapshot }: Return, services: Services) {
  const { machine: name, provider: providerName } = machine.record;
  const provider = services.providers[providerName];
  await checkWhole(machine, snapshot);
  const attempt = randomBytes(4).toString('hex');
  const { hasMemory } = snapshot;
  const disks = disksBackTo({ ...machine, record: restoredRecord(machine.record, snapshot) }, snapshot, attempt);
  // Before anything is lost.
  await provider.prepareReset(disks, services);
  await haltMachine(project, name, { force: true, services });
  const { record: halted } = await requireMachine(project, name);
  const record = { ...restoredRecord(halted, snapshot), restoring: { attempt, hasMemory } };
  await project.states.write(record);
  return finishRestoring(project, record, services);
}

/** @throws StateError if a frozen disk that the snapshot needs is not as it was frozen. */
async function checkWhole(machine: RecordedMachine, { id, name }: Snapshot): Promise<void> {
  const stored = await snapshotStore(machine).list();
  for (const entry of lineage(stored, id)) {
    const { snapshot } = entry;
    // Of a save that was killed nobody knows more than that it was frozen.
    if (snapshot === undefined || snapshot.disks.length === 0) continue;
    const disks = disksInto({ ...machine, record: restoredRecord(machine.record, snapshot) }, entry.id);
    const found = await stampDisks(disks.filter((disk) => snapshot.disks.some((kept) => kept.id === disk.id)));
    if (JSON.stringify(found) === JSON.stringify(snapshot.disks)) continue;
    throw new StateError(
      `the snapshot ${name} of ${machine.record.machine} is damaged: its disks are gone, or were written to`,
      { hint: 'the machine is as it was; restore the files from a copy, or go back to another snapshot' },
    );
  }
}

async function bringBack(
  project: Project,
  machine: Resumable & { readonly wasRunning: boolean; readonly snapshot: Snapshot },
  services: Services,
): Promise<RestoredSnapshot['outcome']> {
  const { record, wasRunning, snapshot } = machine;
  const observed = await settledState({ record, layout: project.states.layout(record.machine) }, services);
  if (observed.kind === 'suspended') return goOn(project, machine, services);
  if (snapshot.hasMemory) {
    const text = 'what was in its memory cannot be read any more: it goes back to the disks of the snapshot';
    services.reporter.report({ type: 'message', level: 'warning', subject: record.machine, text });
  } else if (!wasRunning) return 'stopped';
  await bootMachine(project, machine, services);
  return 'booted';
}
