import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { PortAddress } from './port-address.ts';
import { allPids, readProcFile } from './processes.ts';
import { inodesOfPort } from './socket-table.ts';

/** The process that has a port. */
export interface PortHolder {
  readonly pid: number;
  /** As `ps` and `ss` call it: at most 15 characters. */
  readonly name: string;
  readonly args: readonly string[];
}

/**
 * Who has a port of this host now; of several processes that share the socket, the oldest. Undefined where that cannot be
 * told: nobody has it any more, the process is another user's, or this host has no /proc.
 */
export function findPortHolder(address: PortAddress): PortHolder | undefined {
  const { protocol } = address;
  const tables = [protocol, `${protocol}6`].map((table) => readText(`/proc/net/${table}`));
  for (const inode of inodesOfPort(tables, address)) {
    const pid = allPids()
      .sort((a, b) => a - b)
      .find((candidate) => hasSocket(candidate, inode));
    if (pid !== undefined) return describeProcess(pid);
  }
  return undefined;
}

function describeProcess(pid: number): PortHolder | undefined {
  const name = readProcFile(pid, 'comm')?.trimEnd();
  if (name === undefined) return undefined;
  return { pid, name, args: readProcFile(pid, 'cmdline')?.split('\0') ?? [] };
}

function hasSocket(pid: number, inode: string): boolean {
  const fdDir = `/proc/${pid}/fd`;
  try {
    return readdirSync(fdDir).some((fd) => linkTarget(`${fdDir}/${fd}`) === `socket:[${inode}]`);
  } catch {
    return false; // it ended, or is another user's
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // closed meanwhile
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // no IPv6, or no /proc
  }
}
