import type { HostCommand } from '../host/exec.ts';

/** The files that a machine's memory is kept in. */
export interface MemoryFiles {
  /** Memory and the state of all devices, as the hypervisor writes them. */
  readonly statePath: string;
  /** Written last, and removed first: without it there is no memory. */
  readonly factsPath: string;
}

/** The number of the stored format; a change of the shape below raises it. */
export const MEMORY_FORMAT = 1;

/** What has to be the same for a memory to be restored, beside the memory itself. */
export interface MemoryFacts {
  readonly format: typeof MEMORY_FORMAT;
  /** ISO 8601, by the host's clock. */
  readonly savedAt: string;
  /** Of the state file. */
  readonly sha256: string;
  readonly bytes: number;
  readonly hypervisor: HypervisorFacts;
  readonly host: HostFacts;
  /** What the hypervisor was started by. */
  readonly command: HostCommand;
  /** The disks that the guest could write to, as it left them. */
  readonly disks: readonly DiskStamp[];
}

export interface HypervisorFacts {
  readonly version: string;
  /** With its version: `pc-q35-7.2`. */
  readonly machineType: string;
  /** Of what the guest sees of the arguments. */
  readonly argsFingerprint: string;
}

/** What a guest that is not emulated sees of its host. */
export interface HostFacts {
  /** Of the processor; absent for a guest that is emulated. */
  readonly cpu?: string | undefined;
}

/** By which a file that was written to meanwhile is told. */
export interface DiskStamp {
  readonly path: string;
  readonly bytes: number;
  /** Nanoseconds; too many digits for a number. */
  readonly modifiedNs: string;
}
