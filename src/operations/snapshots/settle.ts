import { VmError } from '../../errors.ts';
import { adoptMemory } from '../../machine/memory-files.ts';
import type { MachineRecord } from '../../machine/record.ts';
import { lineage, visible } from '../../machine/snapshot-tree.ts';
import type { RecordedMachine } from '../../providers/provider.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { disksBackTo, disksInto, placesOf, snapshotStore } from './disks.ts';

/**
 * Ends what a `vm snapshot` that was killed began: a snapshot is there or not, and the machine has gone back to one or not.
 * Call with the machine's lock held.
 */
export async function settleSnapshots(project: Project, name: string, services: Services): Promise<void> {
  const record = await project.states.readIfWhole(name);
  if (record?.savingSnapshot === undefined && record?.restoring === undefined) return;
  await finishSaving(project, record, services);
  const saved = await project.states.readIfWhole(name);
  if (saved !== undefined) await finishRestoring(project, saved, services);
}

/** Gives the record as written. A snapshot that was not published is none, even if the machine stands on it. */
export async function finishSaving(
  project: Project,
  record: MachineRecord,
  services: Services,
): Promise<MachineRecord> {
  const { savingSnapshot: id, ...rest } = record;
  if (id === undefined) return record;
  const machine = { record, layout: project.states.layout(record.machine) };
  const provider = services.providers[record.provider];
  const store = snapshotStore(machine);
  const outcome = await provider.settleFreeze(machine, disksInto(machine, id));
  const isPublished = visible(await store.list()).some((snapshot) => snapshot.id === id);
  if (!isPublished) await store.hide(id);
  await letRunOn(machine, services);
  const settled = outcome === 'frozen' ? { ...rest, snapshot: id } : rest;
  await project.states.write(settled);
  await store.removeUnused(placesOf(settled));
  return settled;
}

/** A guest that was held still for its memory. One that the host's full disk holds still cannot run on yet. */
async function letRunOn(machine: RecordedMachine, services: Services): Promise<void> {
  const provider = services.providers[machine.record.provider];
  const observed = await provider.state(machine);
  if (observed.kind !== 'paused') return;
  try {
    await provider.unpause(machine);
  } catch (error) {
    if (!(error instanceof VmError)) throw error;
    const { machine: subject } = machine.record;
    services.reporter.report({ type: 'message', level: 'warning', subject, text: `is paused: ${error.message}` });
  }
}

/** Gives the record as written: the machine is stopped, or suspended where the snapshot has its memory. */
export async function finishRestoring(
  project: Project,
  record: MachineRecord,
  services: Services,
): Promise<MachineRecord> {
  const { restoring, ...settled } = record;
  if (restoring === undefined) return record;
  const machine = { record, layout: project.states.layout(record.machine) };
  const store = snapshotStore(machine);
  const [current] = lineage(await store.list(), record.snapshot);
  if (current?.snapshot !== undefined) {
    const disks = disksBackTo(machine, current.snapshot, restoring.attempt);
    await services.providers[record.provider].resetDisks(disks);
    const places = disks.map(({ path }) => path);
    if (restoring.hasMemory) await adoptMemory(store.memory(current.id), machine.layout.memory, places);
  }
  await project.states.write(settled);
  await store.removeUnused(placesOf(settled));
  return settled;
}
