import { VmError } from '../../errors.ts';
import { systemErrorCode } from '../../host/files.ts';
import type { MachineRecord } from '../../machine/record.ts';
import type { Services } from '../services.ts';
import { chainToFlatten, flattened, flattenLogPath } from './flatten.ts';

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
    const chain = await chainToFlatten(record.layer, layers);
    const [top] = chain;
    if (top === undefined || chain.length <= LONGEST_CHAIN || (await flattened(top, layers)).length > 0) return;
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
