import type { HostCapacity } from '../../host/capacity.ts';

/** A boot also waits for disks and timers: a host with one processor gets more done with two. */
const LEAST_BY_CPUS = 2;

/**
 * How many machines come up at a time unless the user says: one for each processor, because a guest that boots keeps one
 * busy, as long as also the largest of them fit into the memory that is free together. Never less than one.
 */
export function fittingParallelism(
  { cpus, availableMemoryBytes }: Pick<HostCapacity, 'cpus' | 'availableMemoryBytes'>,
  machines: readonly { readonly memoryBytes: number }[],
): number {
  let leftBytes = availableMemoryBytes;
  let fitting = 0;
  for (const { memoryBytes } of [...machines].sort((a, b) => b.memoryBytes - a.memoryBytes)) {
    leftBytes -= memoryBytes;
    if (leftBytes < 0) break;
    fitting++;
  }
  return Math.max(1, Math.min(fitting, Math.max(cpus, LEAST_BY_CPUS)));
}
