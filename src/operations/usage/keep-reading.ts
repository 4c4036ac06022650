import { InterruptedError, VmError } from '../../errors.ts';
import { systemErrorCode } from '../../host/files.ts';
import type { MachineRecord } from '../../machine/record.ts';
import type { RunReading } from '../../machine/usage-ledger.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { writeReading } from './metering.ts';

/**
 * Writes down what a command that only tells has read, so that less is lost when the guest powers off by itself. Nobody is
 * waited for: who has the machine's lock reads for himself.
 */
export async function keepReading(
  { projectDir, states }: Pick<Project, 'projectDir' | 'states'>,
  { record, reading }: { readonly record: MachineRecord; readonly reading: RunReading },
  services: Services,
): Promise<void> {
  const { machine: name, id } = record;
  let stillExists = true;
  try {
    await using _lock = await states.lock(name, { purpose: 'vm usage', signal: services.signal, timeoutMs: 0 });
    stillExists = (await states.read(name))?.id === id;
    if (stillExists) await writeReading({ projectDir }, { record, reading }, services);
  } catch (error) {
    const isBusyOrUnwritable = error instanceof VmError || systemErrorCode(error) !== undefined;
    if (error instanceof InterruptedError || !isBusyOrUnwritable) throw error;
  }
  // Destroyed meanwhile: taking the lock has made the project's state folder anew.
  if (!stillExists) await states.removeIfEmpty();
}
