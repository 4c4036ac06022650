import { VmError } from '../../errors.ts';
import { systemErrorCode } from '../../host/files.ts';
import type { Layer } from '../../layers/layer.ts';
import type { MachineRecord } from '../../machine/record.ts';
import type { Services } from '../services.ts';
import { flattened, flattenLogPath } from './flatten.ts';

/**
 * A scattered read of 4 KiB takes QEMU 3 µs on one file, 7 through eight, 24 through sixteen, 220 through 64 (measured with
 * 7.2, on disks of 10 GiB): up to eight that is lost in what a guest does with it.
 */
const LONGEST_CHAIN = 8;

/** Has the layers that a machine stands on merged for the next ones, where they are many. Nobody waits for it. */
export async function flattenInBackground(record: MachineRecord | undefined, services: Services): Promise<void> {
  const { layers, reporter } = services;
  if (record?.layer === undefined) return;
  try {
    const chain = await readChain(record.layer, layers);
    // New machines begin with no state of a clone, and what a template stands on counts for it.
    const length = chain.length - chain.findIndex(({ isPrivate }) => !isPrivate);
    const top = chain.find(({ template, isPrivate }) => template === undefined && !isPrivate);
    if (top === undefined || length <= LONGEST_CHAIN || (await flattened(top, layers)).length > 0) return;
    await services.startInBackground(['--quiet', 'cache', 'flatten', top.id], flattenLogPath(top.id, layers));
  } catch (error) {
    const code = systemErrorCode(error);
    const isRemoved = code === 'ENOENT';
    if (isRemoved) return;
    if (code === undefined && !(error instanceof VmError)) throw error;
    const text = `the layers that it stands on are not merged: ${error instanceof VmError ? error.message : code}`;
    reporter.report({ type: 'message', level: 'warning', subject: record.machine, text });
  }
}

/** A layer and those that it stands on, as far as they are there. */
async function readChain(id: string, layers: Services['layers']): Promise<Layer[]> {
  const chain: Layer[] = [];
  for (let next: string | undefined = id; next !== undefined; ) {
    const layer: Layer | undefined = await layers.describe(next);
    if (layer !== undefined) chain.push(layer);
    next = layer?.baseId;
  }
  return chain;
}
