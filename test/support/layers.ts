import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Layer, LayerFacts } from '../../src/layers/layer.ts';
import type { LayerStore } from '../../src/layers/layer-store.ts';
import { MachineIndex } from '../../src/machine/machine-index.ts';
import type { MachineRecord } from '../../src/machine/record.ts';
import { StateStore } from '../../src/machine/state-store.ts';
import { newRecord } from '../../src/operations/up/create.ts';
import { machineSpec } from './machine-spec.ts';

/** A key that begins with these digits. */
export function keyOf(digits: string): string {
  return digits.padEnd(64, '0');
}

export function layerFacts(changes: Partial<LayerFacts> = {}): LayerFacts {
  return {
    key: keyOf('a1'),
    parentKey: undefined,
    baseId: undefined,
    boxKey: 'b1',
    step: undefined,
    stepFingerprint: undefined,
    disks: [{ id: 'root', virtualSizeBytes: 2 ** 30 }],
    createdAt: '2026-01-01T00:00:00.000Z',
    madeBy: { project: '/srv/shop', machine: 'web' },
    ...changes,
  };
}

/** Makes a layer; `writeDisk` writes each of its disks, some text unless given. */
export async function addLayer(
  store: LayerStore,
  changes: Partial<LayerFacts> = {},
  writeDisk: (path: string, diskId: string) => Promise<void> = (path, id) => writeFile(path, `content of ${id}`),
): Promise<Layer> {
  const facts = layerFacts(changes);
  const pending = await store.begin(facts.key);
  for (const { id } of facts.disks) await writeDisk(pending.diskPath(id), id);
  return store.publish(pending, facts, new AbortController().signal);
}

/** Makes a machine known that does not run, with a record of which only what it stands on is of interest. */
export async function addMachine(
  homeDir: string,
  projectDir: string,
  changes: Pick<Partial<MachineRecord>, 'layer' | 'freezing' | 'box'>,
  name = 'web',
): Promise<MachineRecord> {
  const states = new StateStore(projectDir);
  const record = {
    ...newRecord('shop', machineSpec({ name }), undefined, join(homeDir, 'run')),
    ...changes,
  };
  await mkdir(states.layout(name).machineDir, { recursive: true });
  await states.write(record);
  await new MachineIndex(homeDir).add({ id: record.id, projectDir, machine: name, provider: 'qemu' });
  return record;
}
