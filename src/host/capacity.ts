import { availableParallelism, freemem, totalmem } from 'node:os';

/** What this host can give to machines now. */
export interface HostCapacity {
  readonly cpus: number;
  /** Free, or freed when it is wanted; on Linux MemAvailable of /proc/meminfo. */
  readonly availableMemoryBytes: number;
  readonly totalMemoryBytes: number;
}

export function readHostCapacity(): HostCapacity {
  return { cpus: availableParallelism(), availableMemoryBytes: freemem(), totalMemoryBytes: totalmem() };
}
