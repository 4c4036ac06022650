import { type ImageBytes, readSectorFromEnd } from './image-bytes.ts';
import { type ImageMetadata, type ImageProblem, LYING, NOT_WHOLE, withProblem } from './image-metadata.ts';

/** The footer of a VHD; Virtual PC wrote 511 bytes of it. All numbers are big-endian. */
const FOOTER_BYTES = 511;
const MAGIC = 'conectix';
const TYPE = { fixed: 2, dynamic: 3, differencing: 4 };

const DYNAMIC_HEADER_BYTES = 1024;
const DYNAMIC_MAGIC = 'cxsparse';
const BLOCK_TABLE_ENTRY_BYTES = 4;

/**
 * Reads a VHD, which QEMU calls vpc. The size is the footer's `current size`, which the geometry beside it rounds down.
 * Format: Microsoft's “Virtual Hard Disk Image Format Specification”.
 */
export async function readVpc(image: ImageBytes): Promise<ImageMetadata> {
  const beginning = await image.read(0, FOOTER_BYTES);
  const end = await readSectorFromEnd(image, 1);
  // As in block/vpc.c: a copy of the footer at the beginning is what tells a dynamic disk from a fixed one.
  const isDynamic = isFooter(beginning);
  const footer = isDynamic ? beginning : end;
  if (footer.length < FOOTER_BYTES || !isFooter(end)) return withProblem(NOT_WHOLE);
  const virtualSizeBytes = Number(footer.readBigUInt64BE(48));
  const type = footer.readUInt32BE(60);
  if (type === TYPE.differencing) return withProblem(DIFFERENCING);
  if (type !== (isDynamic ? TYPE.dynamic : TYPE.fixed)) return withProblem(NOT_WHOLE);
  const problem = isDynamic
    ? await findDynamicProblem(image, { headerOffset: Number(footer.readBigUInt64BE(16)), virtualSizeBytes })
    : findFixedProblem(image, virtualSizeBytes);
  return { virtualSizeBytes, problem };
}

const DIFFERENCING: ImageProblem = {
  what: 'it stands on another file: it holds only what a checkpoint changed',
  cure: "Hyper-V's Convert-VHD, or VBoxManage clonemedium, makes one file of it",
};

function isFooter(bytes: Buffer): boolean {
  return bytes.toString('latin1', 0, MAGIC.length) === MAGIC;
}

function findFixedProblem(image: ImageBytes, virtualSizeBytes: number): ImageProblem | undefined {
  return virtualSizeBytes + FOOTER_BYTES > image.sizeBytes ? LYING : undefined;
}

async function findDynamicProblem(
  image: ImageBytes,
  { headerOffset, virtualSizeBytes }: { readonly headerOffset: number; readonly virtualSizeBytes: number },
): Promise<ImageProblem | undefined> {
  const header = await image.read(headerOffset, DYNAMIC_HEADER_BYTES);
  const isWhole = header.length === DYNAMIC_HEADER_BYTES && header.toString('latin1', 0, 8) === DYNAMIC_MAGIC;
  if (!isWhole) return NOT_WHOLE;
  const tableOffset = Number(header.readBigUInt64BE(16));
  const blocks = header.readUInt32BE(28);
  const blockBytes = header.readUInt32BE(32);
  if (virtualSizeBytes > blocks * blockBytes) return LYING;
  // QEMU allocates the table as long as the header says, up to 2 GiB.
  return tableOffset + blocks * BLOCK_TABLE_ENTRY_BYTES > image.sizeBytes ? NOT_WHOLE : undefined;
}
