/** What the first bytes of a qcow2 image say. Format: docs/interop/qcow2.txt in QEMU's source. */
export interface Qcow2Header {
  readonly virtualSizeBytes: number;
  readonly clusterBits: number;
  /** How much disk the L1 table has entries for. */
  readonly coveredBytes: number;
  /** The file this image stands on. */
  readonly backingFile: string | undefined;
  /** The data is in another file. */
  readonly hasDataFile: boolean;
  readonly isEncrypted: boolean;
  readonly isMarkedCorrupt: boolean;
}

/** The header and, behind it, the name of a backing file lie in the first cluster, which has 2 MiB at most. */
export const HEADER_MAX_BYTES = 2 * 2 ** 20;

const MAGIC = 0x51_46_49_fb; // "QFI\xfb"
const VERSION_2_BYTES = 72;
const VERSION_3_BYTES = 104;
const CORRUPT = 1n << 1n;
const EXTERNAL_DATA_FILE = 1n << 2n;
const EXTENDED_L2_ENTRIES = 1n << 4n;

/** Reads the beginning of a file; undefined if it is no qcow2. */
export function parseQcow2Header(bytes: Buffer): Qcow2Header | undefined {
  if (bytes.length < VERSION_2_BYTES || bytes.readUInt32BE(0) !== MAGIC) return undefined;
  const version = bytes.readUInt32BE(4);
  const isKnown = version === 2 || (version === 3 && bytes.length >= VERSION_3_BYTES);
  if (!isKnown) return undefined;
  const backingOffset = Number(bytes.readBigUInt64BE(8));
  const incompatibleFeatures = version === 2 ? 0n : bytes.readBigUInt64BE(72);
  const clusterBits = bytes.readUInt32BE(20);
  const l2EntryBytes = (incompatibleFeatures & EXTENDED_L2_ENTRIES) === 0n ? 8 : 16;
  return {
    backingFile:
      backingOffset === 0
        ? undefined
        : bytes.toString('utf8', backingOffset, backingOffset + bytes.readUInt32BE(16)) || 'whose name is not readable',
    virtualSizeBytes: Number(bytes.readBigUInt64BE(24)),
    clusterBits,
    // An L1 entry stands for a table of L2 entries, which fills a cluster; each of those stands for a cluster.
    coveredBytes: bytes.readUInt32BE(36) * (2 ** clusterBits / l2EntryBytes) * 2 ** clusterBits,
    isEncrypted: bytes.readUInt32BE(32) !== 0,
    isMarkedCorrupt: (incompatibleFeatures & CORRUPT) !== 0n,
    hasDataFile: (incompatibleFeatures & EXTERNAL_DATA_FILE) !== 0n,
  };
}
