import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Box } from '../../boxes/box.ts';
import { inPhase } from '../../context.ts';
import { StateError } from '../../errors.ts';
import { readTextIfExists } from '../../host/files.ts';
import { makeFlatDisk } from '../../layers/flat-disk.ts';
import type { Layer } from '../../layers/layer.ts';
import { tellOfWait } from '../machine-lock.ts';
import type { Services } from '../services.ts';
import { SHORT_ID_LENGTH } from './cache.ts';
import { removeUnused } from './remove.ts';

const PURPOSE = 'vm cache flatten';

/** Where one that flattens a layer in the background says why it fails. */
export function flattenLogPath(id: string, layers: Services['layers']): string {
  return join(layers.pending(id).dir, 'flatten.log');
}

/** Why the last one failed; undefined: it did not. */
export async function flattenProblem(id: string, layers: Services['layers']): Promise<string | undefined> {
  return (await readTextIfExists(flattenLogPath(id, layers)))?.trim() || undefined;
}

/**
 * A layer and those that it stands on, as far as they are there, without what a merged one could not be used for: new
 * machines begin with no state of a clone, and a template is bound to the disks that it has.
 */
export async function chainToFlatten(id: string, layers: Services['layers']): Promise<Layer[]> {
  const chain: Layer[] = [];
  for (let next: string | undefined = id; next !== undefined; ) {
    const layer: Layer | undefined = await layers.describe(next);
    if (layer !== undefined) chain.push(layer);
    next = layer?.baseId;
  }
  return chain.filter(({ template, isPrivate }) => template === undefined && !isPrivate);
}

/**
 * Makes a layer with the content of another that stands on the box itself, unless it is there. New machines begin with it;
 * the other stays as long as anything stands on it. Of a template, and of a clone's, what it stands on is flattened.
 * @returns the layer that stands on the box.
 * @throws StateError if it is of clones, down to the box; VmError if it, or its box, is gone or damaged, or the disk is
 * full: nothing is left then.
 */
export async function flattenLayer(id: string, services: Services): Promise<Layer> {
  const { layers, signal } = services;
  const subject = id.slice(0, SHORT_ID_LENGTH);
  // One at a time is enough for what nobody waits for.
  await using _lock = await layers.lock('flatten', {
    purpose: PURPOSE,
    signal,
    onWait: tellOfWait(subject, services),
  });
  const named = await layers.get(id, signal);
  const [layer = named] = await chainToFlatten(id, layers);
  if (layer.isPrivate && layer.baseId !== undefined) {
    throw new StateError(`${subject} is of clones, and so is all that it stands on: no new machine begins with it`);
  }
  const flat =
    (await findFlat(layer, services)) ?? (await inPhase(services, subject, 'flatten', () => makeFlat(layer, services)));
  await rm(flattenLogPath(layer.id, layers), { force: true });
  return flat;
}

async function findFlat(layer: Layer, { layers, signal }: Services): Promise<Layer | undefined> {
  if (layer.baseId === undefined) return layer;
  for (const flat of await flattened(layer, layers)) {
    try {
      return await layers.get(flat.id, signal);
    } catch (error) {
      if (!(error instanceof StateError)) throw error;
    }
  }
  return undefined;
}

/** What was made of a layer so, whole or not. */
export async function flattened({ id, key }: Layer, layers: Services['layers']): Promise<Layer[]> {
  return (await layers.ofKey(key)).filter(({ flatOf }) => flatOf === id);
}

async function makeFlat(layer: Layer, services: Services): Promise<Layer> {
  const flat = await publishFlat(layer, services);
  await checkBox(flat, services);
  return flat;
}

async function publishFlat(layer: Layer, { layers, boxes, signal }: Services): Promise<Layer> {
  const { id, disks, template: _, ...facts } = layer;
  const box = await boxes.get(layer.boxKey);
  const output = await layers.readOutput(id);
  const pending = await layers.begin(layer.key);
  try {
    for (const disk of disks) {
      const backingPath = diskOfBox(box, disk.id);
      await makeFlatDisk({ sourcePath: disk.path, path: pending.diskPath(disk.id), backingPath }, signal);
    }
    const flatFacts = { ...facts, disks, baseId: undefined, flatOf: id, ...(output !== undefined && { output }) };
    return await layers.publish(pending, flatFacts, signal);
  } catch (error) {
    await layers.discard(pending);
    throw error;
  }
}

/** Nothing kept the box from being removed meanwhile; who removes one removes first the layers that he sees on it. */
async function checkBox({ id, boxKey }: Layer, services: Services): Promise<void> {
  const { boxes, signal } = services;
  await using _box = await boxes.lock(boxKey, { purpose: PURPOSE, signal });
  try {
    await boxes.get(boxKey);
  } catch (error) {
    await removeUnused(id, PURPOSE, services);
    throw error;
  }
}

/** What a disk of all layers on a box stands on in the end. A machine's own stands on nothing. */
function diskOfBox({ diskPath, extraDisks }: Box, diskId: string): string | undefined {
  if (diskId === 'root') return diskPath;
  return extraDisks.find((_disk, index) => diskId === `extra-${index + 1}`)?.path;
}
