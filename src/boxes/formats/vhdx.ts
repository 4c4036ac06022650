import type { ImageBytes } from './image-bytes.ts';
import { type ImageMetadata, type ImageProblem, LYING, NOT_WHOLE, withProblem } from './image-metadata.ts';

/** A table of the format: a header, then entries of 32 bytes, each with a GUID at its beginning. */
interface Table {
  readonly bytes: Buffer;
  readonly firstEntry: number;
  readonly count: number;
}

const TABLE_BYTES = 64 * 1024;
const ENTRY_BYTES = 32;
const GUID_BYTES = 16;
const BAT_ENTRY_BYTES = 8;

const REGION_TABLE_OFFSET = 192 * 1024;
const BAT_REGION = '6677c22d23f600429d64115e9bfd4a08';
const METADATA_REGION = '06a27c8b90479a4bb8fe575f050f886e';
const FILE_PARAMETERS = '3767a1ca36fa434db3b633f0aa44e76b';
const VIRTUAL_DISK_SIZE = '2442a52f1bcd7648b2115dbed83bf4b8';
const ITEM_BYTES = 8;
const HAS_PARENT = 2;

/** Reads a VHDX. Format: Microsoft's [MS-VHDX]; all numbers are little-endian, and the GUIDs are as on disk. */
export async function readVhdx(image: ImageBytes): Promise<ImageMetadata> {
  const regions = parseTable(await image.read(REGION_TABLE_OFFSET, TABLE_BYTES), {
    firstEntry: 16,
    readCount: (bytes) => bytes.readUInt32LE(8),
  });
  const bat = findEntry(regions, BAT_REGION);
  const metadataOffset = findEntry(regions, METADATA_REGION)?.readBigUInt64LE(16);
  if (bat === undefined || metadataOffset === undefined) return withProblem(NOT_WHOLE);
  const items = await readItems(image, Number(metadataOffset));
  if (items === undefined) return withProblem(NOT_WHOLE);
  return {
    virtualSizeBytes: items.virtualSizeBytes,
    problem: findVhdxProblem(items, {
      offset: Number(bat.readBigUInt64LE(16)),
      length: bat.readUInt32LE(24),
      fileBytes: image.sizeBytes,
    }),
  };
}

interface Items {
  readonly blockBytes: number;
  readonly hasParent: boolean;
  readonly virtualSizeBytes: number;
}

async function readItems(image: ImageBytes, metadataOffset: number): Promise<Items | undefined> {
  const table = parseTable(await image.read(metadataOffset, TABLE_BYTES), {
    firstEntry: 32,
    readCount: (bytes) => bytes.readUInt16LE(10),
  });
  const readItem = async (guid: string) => {
    const offset = findEntry(table, guid)?.readUInt32LE(16);
    const bytes = offset === undefined ? undefined : await image.read(metadataOffset + offset, ITEM_BYTES);
    return bytes?.length === ITEM_BYTES ? bytes : undefined;
  };
  const parameters = await readItem(FILE_PARAMETERS);
  const size = await readItem(VIRTUAL_DISK_SIZE);
  if (parameters === undefined || size === undefined) return undefined;
  return {
    blockBytes: parameters.readUInt32LE(0),
    hasParent: (parameters.readUInt32LE(4) & HAS_PARENT) !== 0,
    virtualSizeBytes: Number(size.readBigUInt64LE(0)),
  };
}

function findVhdxProblem(
  { blockBytes, hasParent, virtualSizeBytes }: Items,
  bat: { readonly offset: number; readonly length: number; readonly fileBytes: number },
): ImageProblem | undefined {
  if (hasParent) {
    return {
      what: 'it stands on another file: it holds only what a checkpoint changed',
      cure: "Hyper-V's Convert-VHD makes one file of it",
    };
  }
  if ((virtualSizeBytes / blockBytes) * BAT_ENTRY_BYTES > bat.length) return LYING;
  return bat.offset + bat.length > bat.fileBytes ? NOT_WHOLE : undefined;
}

/** A table that is cut off has no entries. */
function parseTable(
  bytes: Buffer,
  { firstEntry, readCount }: { readonly firstEntry: number; readonly readCount: (bytes: Buffer) => number },
): Table {
  const maxCount = (TABLE_BYTES - firstEntry) / ENTRY_BYTES;
  return { bytes, firstEntry, count: bytes.length < TABLE_BYTES ? 0 : Math.min(maxCount, readCount(bytes)) };
}

function findEntry({ bytes, firstEntry, count }: Table, guid: string): Buffer | undefined {
  return Array.from({ length: count }, (_, index) => {
    const start = firstEntry + index * ENTRY_BYTES;
    return bytes.subarray(start, start + ENTRY_BYTES);
  }).find((entry) => entry.toString('hex', 0, GUID_BYTES) === guid);
}
