import type { DiskTraffic } from '../provider.ts';

/** Of an entry of QMP's `query-blockstats`, what is looked at. Source: QEMU's qapi/block-core.json. */
interface BlockStats {
  readonly stats: { readonly rd_bytes: number; readonly wr_bytes: number };
}

/**
 * What the guest has read and written of all its drives, given the answer to `query-blockstats`. An entry is what a device
 * of the guest has done; what that meant for image files and those below them is in its branches, and not counted again.
 * Undefined for any other answer. Pure.
 */
export function sumBlockStats(answer: unknown): DiskTraffic | undefined {
  if (!Array.isArray(answer) || !answer.every(isBlockStats)) return undefined;
  return {
    readBytes: answer.reduce((sum, { stats }) => sum + stats.rd_bytes, 0),
    writtenBytes: answer.reduce((sum, { stats }) => sum + stats.wr_bytes, 0),
  };
}

function isBlockStats(entry: unknown): entry is BlockStats {
  if (typeof entry !== 'object' || entry === null || !('stats' in entry)) return false;
  const { stats } = entry;
  if (typeof stats !== 'object' || stats === null || !('rd_bytes' in stats) || !('wr_bytes' in stats)) return false;
  return typeof stats.rd_bytes === 'number' && typeof stats.wr_bytes === 'number';
}
