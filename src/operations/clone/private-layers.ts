import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { StateError } from '../../errors.ts';
import type { Layer } from '../../layers/layer.ts';
import type { MachineRecord } from '../../machine/record.ts';
import type { RecordedMachine } from '../../providers/provider.ts';
import { removeUnused } from '../cache/remove.ts';
import { describeFrozen, freezableDisks, settleFreezing } from '../layers/freezing.ts';
import { type Project, requireMachine } from '../project.ts';
import type { Services } from '../services.ts';

const KEY_BYTES = 32;

/**
 * Freezes the disks of a machine into a layer for its clones, on which it stands itself from then on. Killed at any instant
 * it leaves the machine on what was frozen, or on what it stood on before. Call with the machine's lock held.
 * @throws StateError if what it stands on is gone or damaged: nothing is changed then.
 */
export async function freezePrivately(
  project: Project,
  { record, layout }: RecordedMachine,
  services: Services,
): Promise<Layer> {
  const { layers, signal } = services;
  if (record.layer !== undefined) await layers.get(record.layer, signal);
  // A layer stands on layers: what a killed command left below the disks is made one first.
  await publishUnfinished(project, record.machine, services);
  const { record: standing } = await requireMachine(project, record.machine);
  const target = await layers.begin(randomBytes(KEY_BYTES).toString('hex'));
  const freezing = { ...standing, freezing: { layerId: target.id } };
  await project.states.write(freezing);
  try {
    const disks = freezableDisks(freezing, layout, target);
    await services.providers[record.provider].freezeDisks({ record: freezing, layout }, disks, services);
  } finally {
    await settleFreezing(project, record.machine, services);
  }
  const layer = await publishUnfinished(project, record.machine, services);
  if (layer === undefined) throw new Error('disks that were frozen are what the machine stands on');
  return layer;
}

/** Makes a layer of what a machine stands on that is none yet; undefined: there is nothing like that. */
async function publishUnfinished(project: Project, name: string, services: Services): Promise<Layer | undefined> {
  const { layers, signal } = services;
  const { record, layout } = await requireMachine(project, name);
  const { unfinishedLayer: id, ...rest } = record;
  if (id === undefined || record.box === undefined) return undefined;
  const target = layers.pending(id);
  // A disk may have come later.
  const disks = freezableDisks(record, layout, target).filter(({ frozenPath }) => existsSync(frozenPath));
  const facts = {
    key: keyOfItsOwn(id),
    parentKey: undefined,
    baseId: record.layer,
    boxKey: record.box.key,
    step: undefined,
    stepFingerprint: undefined,
    disks: await describeFrozen(disks),
    createdAt: new Date().toISOString(),
    madeBy: { project: record.project, machine: record.machine },
    isPrivate: true,
  } as const;
  const layer = await layers.publish(target, facts, signal);
  await project.states.write({ ...rest, layer: id });
  return layer;
}

/** One that nothing is ever looked for by. It begins as the folder's name does. */
function keyOfItsOwn(layerId: string): string {
  const [prefix = ''] = layerId.split('-');
  return `${prefix}${randomBytes(KEY_BYTES - prefix.length / 2).toString('hex')}`;
}

/** Removes what only a machine that is destroyed and its clones stood on, once it is the last of them. */
export async function discardPrivate(
  { layer, unfinishedLayer }: MachineRecord,
  purpose: string,
  services: Services,
): Promise<void> {
  for (const first of [unfinishedLayer, layer]) {
    let id = first;
    while (id !== undefined) {
      const described = await services.layers.describe(id);
      if (!described?.isPrivate || !(await removeIfUnused(id, purpose, services))) break;
      id = described.baseId;
    }
  }
}

/** Where it cannot be known who stands on it, it is left to `vm cache prune`. */
async function removeIfUnused(id: string, purpose: string, services: Services): Promise<boolean> {
  try {
    return await removeUnused(id, purpose, services);
  } catch (error) {
    if (error instanceof StateError) return false;
    throw error;
  }
}
