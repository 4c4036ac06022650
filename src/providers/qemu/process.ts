import { readFileSync } from 'node:fs';
import { findProcessByArgument, isAlive, type ProcessIdentity } from '../../host/processes.ts';
import { waitFor } from '../../host/wait.ts';
import type { MachineHandle } from '../provider.ts';

/**
 * The QEMU of a machine. The pid file is only a hint: a process is ours if its command line carries the machine's UUID,
 * and one that was started by a killed `vm` before it wrote its pid file is found as well.
 */
export function findQemu({ id, layout }: Pick<MachineHandle, 'id' | 'layout'>): ProcessIdentity | undefined {
  return findProcessByArgument(id, readPid(layout.pidPath));
}

function readPid(pidPath: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(pidPath, 'utf8'), 10);
    return Number.isNaN(pid) ? undefined : pid;
  } catch {
    return undefined; // no pid file: never started, stopped, or not yet written
  }
}

interface Watch {
  readonly signal: AbortSignal;
  /** Called each time the process is looked at, also after its end. */
  onLook(): void;
}

/** Whether the process has ended within `timeoutMs`. */
export async function endsWithin(
  process: ProcessIdentity,
  timeoutMs: number,
  { signal, onLook }: Watch,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  const ended = await waitFor(
    () => {
      onLook();
      if (!isAlive(process)) return 'ended';
      return performance.now() >= deadline ? 'alive' : undefined;
    },
    { what: 'QEMU to end', timeoutMs: timeoutMs + 1000, signal, minPauseMs: 5, maxPauseMs: 40 },
  );
  return ended === 'ended';
}
