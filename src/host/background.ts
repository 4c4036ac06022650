import { truncate } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { type DetachedOptions, type HostCommand, startDetached } from './exec.ts';
import { systemErrorCode, unlessMissing } from './files.ts';

/** Starts a program that outlives this process and gives way to all others; what it prints replaces what is in the file. */
export async function startInBackground(command: HostCommand, options: DetachedOptions): Promise<void> {
  await unlessMissing(truncate(options.outputPath));
  const pid = await startDetached(command, options);
  try {
    // Linux derives the priority of its reads and writes from this.
    setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch (error) {
    if (systemErrorCode(error) !== 'ESRCH') throw error;
  }
}
