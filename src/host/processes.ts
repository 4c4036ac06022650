import { readdirSync, readFileSync } from 'node:fs';
import type { HostCommand } from './exec.ts';

/**
 * A process as the kernel knows it. A pid alone is reused; a pid with its start time is not.
 * Source: proc(5), /proc/PID/stat field 22 (start time in clock ticks since boot).
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: string;
}

/** The identity of a live process; undefined if there is none with this pid, or only its zombie. */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const text = readProcFile(pid, 'stat');
  const stat = text === undefined ? undefined : parseProcessStat(text);
  return stat === undefined || 'ZXx'.includes(stat.state) ? undefined : { pid, startTicks: stat.startTicks };
}

/** Of /proc/PID/stat, what is looked at. */
export interface ProcessStat {
  readonly state: string;
  readonly startTicks: string;
  /** Clock ticks of processor time, of all its threads, in user mode and in the kernel. */
  readonly cpuTicks: number;
}

/** Takes the text of /proc/PID/stat apart: fields 3, 14 and 15, and 22 of proc(5). Pure. */
export function parseProcessStat(text: string): ProcessStat | undefined {
  // The command name may hold spaces and parentheses: fields are counted from the last ')'.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, userTicks, kernelTicks, startTicks] = [fields[0], fields[11], fields[12], fields[19]];
  if (state === undefined || startTicks === undefined) return undefined;
  return { state, startTicks, cpuTicks: Number(userTicks) + Number(kernelTicks) };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return isSameProcess(identifyProcess(identity.pid), identity);
}

/** Whether both are one process; an absent one is none. */
export function isSameProcess(a: ProcessIdentity | undefined, b: ProcessIdentity): boolean {
  return a?.pid === b.pid && a.startTicks === b.startTicks;
}

/** The process whose arguments contain `marker`: `hintPid` if it is that one, otherwise found among all processes. */
export function findProcessByArgument(marker: string, hintPid: number | undefined): ProcessIdentity | undefined {
  if (hintPid !== undefined && argumentsContain(hintPid, marker)) return identifyProcess(hintPid);
  const pid = allPids().find((candidate) => argumentsContain(candidate, marker));
  return pid === undefined ? undefined : identifyProcess(pid);
}

function argumentsContain(pid: number, marker: string): boolean {
  return readProcFile(pid, 'cmdline')?.split('\0').includes(marker) ?? false;
}

/** The words that a process was started by; undefined if there is none with this pid. */
export function readCommand(pid: number): HostCommand | undefined {
  const [file, ...args] = readProcFile(pid, 'cmdline')?.split('\0').slice(0, -1) ?? [];
  return file === undefined ? undefined : { file, args };
}

/** All processes but this one. */
export function allPids(): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid > 0 && pid !== process.pid);
}

/** A file of /proc about a process; undefined where it has ended, or may not be read. */
export function readProcFile(pid: number, file: 'stat' | 'status' | 'cmdline' | 'comm'): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined; // gone, or not ours to read: either way not a process of ours
  }
}
