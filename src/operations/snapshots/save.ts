import { inPhase } from '../../context.ts';
import { StateError, UsageError } from '../../errors.ts';
import { isSameProcess } from '../../host/processes.ts';
import { type Snapshot, snapshotFacts } from '../../machine/snapshot.ts';
import type { SnapshotStore } from '../../machine/snapshot-store.ts';
import { nearestVisible, visible } from '../../machine/snapshot-tree.ts';
import { startedVolumes } from '../../machine/volume.ts';
import type { RecordedMachine } from '../../providers/provider.ts';
import { lockMachine } from '../machine-lock.ts';
import { findTarget, type Project, requireMachine } from '../project.ts';
import type { Services } from '../services.ts';
import { flush } from '../suspend/flush.ts';
import { type SettledState, settledState } from '../suspend/settled-state.ts';
import { disksInto, snapshotStore, stampDisks } from './disks.ts';
import { finishSaving } from './settle.ts';

export interface SaveRequest {
  readonly machine: string | undefined;
  /** Absent: made of the time. */
  readonly name: string | undefined;
  readonly description: string | undefined;
  /** Whether what is in the memory of a machine that runs is part of it. */
  readonly takesMemory: boolean;
  /** For `pop`. */
  readonly isPushed: boolean;
}

export interface SavedSnapshot {
  readonly machine: string;
  readonly snapshot: Snapshot;
  /** The name of the one that it was made after. */
  readonly parent: string | undefined;
}

/**
 * Keeps the state of a machine: of one that runs also its memory, for which it is held still, and runs on.
 * @throws StateError with what forbids it: the machine is as before then.
 */
export async function saveSnapshot(project: Project, request: SaveRequest, services: Services): Promise<SavedSnapshot> {
  const { name } = await findTarget(project, request.machine);
  checkName(request.name);
  // Before the lock, which would make the project's state folder.
  await requireMachine(project, name);
  await using _lock = await lockMachine(project, { name, purpose: 'vm snapshot save' }, services);
  const machine = await requireMachine(project, name);
  const observed = await settledState(machine, services);
  const hasMemory = request.takesMemory && observed.kind === 'running';
  checkSavable(machine, observed, hasMemory);
  const store = snapshotStore(machine);
  const stored = await store.list();
  const createdAt = new Date().toISOString();
  const chosen = request.name ?? unusedName(visible(stored), createdAt);
  if (visible(stored).some((snapshot) => snapshot.name === chosen)) {
    throw new StateError(`${name} has a snapshot called ${chosen} already`, {
      hint: `vm snapshot delete ${name} ${chosen} removes it`,
    });
  }
  if (observed.kind === 'running' && isSameProcess(machine.record.ready, observed.process)) {
    await flush(machine, services);
  }
  const { description, isPushed } = request;
  const parentId = machine.record.snapshot;
  const facts = snapshotFacts(machine.record);
  const draft = { name: chosen, parentId, createdAt, description, isPushed, hasMemory, facts };
  const snapshot = await inPhase(services, name, 'snapshot', () => keep(project, { machine, store, draft }, services));
  return { machine: name, snapshot, parent: nearestVisible(stored, parentId)?.name };
}

interface Keeping {
  readonly machine: RecordedMachine;
  readonly store: SnapshotStore;
  readonly draft: Omit<Snapshot, 'format' | 'id' | 'disks'>;
}

async function keep(project: Project, { machine, store, draft }: Keeping, services: Services): Promise<Snapshot> {
  const { layout } = machine;
  const provider = services.providers[machine.record.provider];
  const begun = await store.begin(draft);
  const { id } = begun;
  const record = { ...machine.record, savingSnapshot: id };
  await project.states.write(record);
  try {
    const saving = { record, layout };
    const disks = disksInto(saving, id);
    // Held still until its disks are frozen: memory and disks are of the same instant.
    if (draft.hasMemory) await provider.saveMemory(saving, store.memory(id), services);
    await provider.freezeDisks(saving, disks, services);
    if (draft.hasMemory) await provider.unpause(saving);
    const snapshot = { ...begun, disks: await stampDisks(disks) };
    await store.publish(snapshot);
    return snapshot;
  } finally {
    // After a failure it tells what stands, and lets the guest run on.
    await finishSaving(project, record, services);
  }
}

function checkSavable({ record }: RecordedMachine, observed: SettledState, hasMemory: boolean): void {
  const { machine } = record;
  const raw = record.disks?.find(({ format }) => format === 'raw');
  if (raw !== undefined) {
    throw new StateError(`${machine} cannot have snapshots: its disk ${raw.name} is raw, which nothing can stand on`, {
      hint: 'a disk with format: qcow2 can be part of a snapshot',
    });
  }
  switch (observed.kind) {
    case 'broken':
    case 'paused':
      throw new StateError(`${machine} is ${observed.kind}: ${observed.reason}`);
    case 'suspended':
      throw new StateError(`${machine} is suspended: its disks are whole only together with what was in its memory`, {
        hint: `vm resume ${machine}, and save a snapshot then`,
      });
  }
  const volumes = hasMemory ? startedVolumes(record) : [];
  if (volumes.length === 0) return;
  const names = volumes.map(({ name }) => name).join(', ');
  throw new StateError(
    `${machine} has the volume ${names}, which is not part of a snapshot: memory that goes back would not fit it`,
    { hint: '--no-memory keeps its disks alone; what is on volumes stays as it is when they go back' },
  );
}

function checkName(name: string | undefined): void {
  if (name === undefined || /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name)) return;
  throw new UsageError(`“${name}” is no name for a snapshot`, {
    hint: 'names have letters, digits, dots, underscores and dashes, at most 63, and begin with a letter or digit',
  });
}

/** Of the time, in seconds; two within one are told apart by a number. */
function unusedName(taken: readonly Snapshot[], createdAt: string): string {
  const base = createdAt.slice(0, 'YYYY-MM-DDTHH:MM:SS'.length).replaceAll(':', '');
  for (let number = 1; ; number++) {
    const name = number === 1 ? base : `${base}-${number}`;
    if (!taken.some((snapshot) => snapshot.name === name)) return name;
  }
}
