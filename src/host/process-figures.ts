import { readFileSync } from 'node:fs';
import { type ProcessIdentity, parseProcessStat, readProcFile } from './processes.ts';

/** What the kernel counts of a process since its start. */
export interface ProcessFigures {
  /** Since its start; also while the host was suspended. */
  readonly runningMs: number;
  /** Processor time of all its threads: two busy ones count two seconds in a second. */
  readonly cpuMs: number;
  /** Of the host's memory, now. */
  readonly memoryBytes: number;
}

/** The kernel counts time for /proc in hundredths of a second on every architecture that QEMU's hosts have (`getconf CLK_TCK`). */
const TICK_MS = 10;

/**
 * The figures of a process; also of one that has ended, as long as nobody has taken note of its end. Undefined if it is
 * gone. Memory is the resident set: the share that other processes have in it (Pss) is the program's code, a few MB, and
 * to tell it the kernel goes through all of a guest's memory.
 */
export function readProcessFigures({ pid, startTicks }: ProcessIdentity): ProcessFigures | undefined {
  const text = readProcFile(pid, 'stat');
  const stat = text === undefined ? undefined : parseProcessStat(text);
  if (stat?.startTicks !== startTicks) return undefined;
  const [uptimeSeconds] = readFileSync('/proc/uptime', 'utf8').split(' ');
  return {
    runningMs: Math.max(0, Number(uptimeSeconds) * 1000 - Number(startTicks) * TICK_MS),
    cpuMs: stat.cpuTicks * TICK_MS,
    memoryBytes: parseResidentBytes(readProcFile(pid, 'status') ?? ''),
  };
}

/** `VmRSS` of /proc/PID/status, which is in KiB; 0 where there is none, as of a process that has ended. Pure. */
export function parseResidentBytes(status: string): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

/** Names this run of the host's kernel: pids and start times are unique only within one. */
export function readHostBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
