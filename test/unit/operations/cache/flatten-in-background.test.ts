import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ReportEvent } from '../../../../src/context.ts';
import type { Layer, LayerFacts } from '../../../../src/layers/layer.ts';
import { LayerStore } from '../../../../src/layers/layer-store.ts';
import type { MachineRecord } from '../../../../src/machine/record.ts';
import { flattenInBackground } from '../../../../src/operations/cache/flatten-in-background.ts';
import type { Services } from '../../../../src/operations/services.ts';
import { addLayer, keyOf } from '../../../support/layers.ts';

let homeDir: string;
let layers: LayerStore;
let started: (readonly string[])[];

beforeEach(async () => {
  homeDir = await mkdtemp(join(tmpdir(), 'vm-flatten-'));
  layers = new LayerStore(homeDir);
  started = [];
});

afterEach(() => rm(homeDir, { recursive: true }));

async function haltOn(layer: Layer | undefined): Promise<void> {
  const startInBackground = async (...call: [readonly string[], string]) => void started.push(call.flat());
  // Casts: of services and record only these are used.
  const services = { layers, reporter: { report: () => {} }, startInBackground } as unknown as Services;
  await flattenInBackground({ machine: 'web', layer: layer?.id } as unknown as MachineRecord, services);
}

function add(number: number, base: Layer | undefined, changes: Partial<LayerFacts> = {}): Promise<Layer> {
  return addLayer(layers, { key: keyOf(`a${number}`), baseId: base?.id, ...changes });
}

/** The layers of a chain, that on the box first. */
async function addChain(length: number): Promise<Layer[]> {
  const chain: Layer[] = [];
  for (let number = 1; number <= length; number++) chain.push(await add(number, chain.at(-1)));
  return chain;
}

test('nothing is started for a machine on its box, or on few layers', async () => {
  await haltOn(undefined);
  await haltOn((await addChain(8)).at(-1));
  expect(started).toEqual([]);
});

test('a long chain is flattened, what it says is left with its last layer; but not twice', async () => {
  const top = (await addChain(9)).at(-1) as Layer; // nine were made
  await haltOn(top);
  const log = join(homeDir, 'layers', top.id, 'flatten.log');
  expect(started).toEqual([['--quiet', 'cache', 'flatten', top.id, log]]);
  await addLayer(layers, { key: top.key, flatOf: top.id });
  await haltOn(top);
  expect(started).toHaveLength(1);
});

test('what a machine made on a flattened layer stands on is short again', async () => {
  const top = (await addChain(9)).at(-1) as Layer; // nine were made
  const flat = await addLayer(layers, { key: top.key, flatOf: top.id });
  await haltOn(await add(10, flat));
  expect(started).toEqual([]);
});

test('a halt does not fail because nothing can be started', async () => {
  const top = (await addChain(9)).at(-1) as Layer; // nine were made
  const told: ReportEvent[] = [];
  const startInBackground = () => Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
  // Casts: of services and record only these are used.
  const services = { layers, reporter: { report: (event: ReportEvent) => told.push(event) }, startInBackground };
  await flattenInBackground({ machine: 'web', layer: top.id } as MachineRecord, services as unknown as Services);
  expect(told).toMatchObject([{ subject: 'web', text: 'the layers that it stands on are not merged: ENOSPC' }]);
});

test('a chain that was removed meanwhile is nobody’s business', async () => {
  const top = (await addChain(9)).at(-1) as Layer; // nine were made
  await layers.remove(top.id);
  await haltOn(top);
  expect(started).toEqual([]);
});
