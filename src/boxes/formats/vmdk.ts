import { printableName } from '../archives/member-name.ts';
import { type ImageBytes, readSectorFromEnd, toWholeSectors } from './image-bytes.ts';
import { FLATTEN, type ImageMetadata, type ImageProblem, LYING, NOT_WHOLE, withProblem } from './image-metadata.ts';

/** The header of a sparse image, as QEMU's block/vmdk.c reads it: numbers are little-endian, places are in sectors. */
interface SparseHeader {
  readonly capacity: number;
  readonly grain: number;
  readonly descriptorOffset: number;
  readonly grainsPerTable: number;
  readonly directoryOffset: number;
  /** Another header, near the end of the file, takes the place of this one. */
  readonly isReplaced: boolean;
}

const SECTOR_BYTES = 512;
const SPARSE_MAGIC = 'KDMV';
const DIRECTORY_AT_END = 0xffff_ffff_ffff_ffffn;
const DIRECTORY_ENTRY_BYTES = 4;
/** Before the end of the file: behind it is only the sector that marks the end. */
const FOOTER_PLACE = 2;

/** Where QEMU reads the descriptor, whatever the header says. */
const DESCRIPTOR_OFFSET = SECTOR_BYTES;
const DESCRIPTOR_BYTES = 20 * SECTOR_BYTES;
const NO_PARENT = 'ffffffff';
const WHOLE_TYPES = ['monolithicSparse', 'streamOptimized'];

export async function readVmdk(image: ImageBytes): Promise<ImageMetadata> {
  const header = parseHeader(await image.read(0, SECTOR_BYTES));
  if (header === undefined) return withProblem(SEVERAL_FILES);
  // QEMU takes an image without capacity for a descriptor, and opens whatever files are named there.
  if (header.capacity === 0 || header.descriptorOffset === 0) return withProblem(SEVERAL_FILES);
  const descriptor = (await image.read(DESCRIPTOR_OFFSET, DESCRIPTOR_BYTES)).toString('latin1').split('\0')[0] ?? '';
  const problem = findDescriptorProblem(descriptor);
  if (problem !== undefined) return withProblem(problem);
  const valid = header.isReplaced ? parseHeader(await readSectorFromEnd(image, FOOTER_PLACE)) : header;
  if (valid === undefined) return withProblem(NOT_WHOLE);
  return {
    virtualSizeBytes: valid.capacity * SECTOR_BYTES,
    problem: findSpaceProblem(valid, image.sizeBytes),
  };
}

const SEVERAL_FILES: ImageProblem = {
  what: 'it is one part of an image in several files',
  cure: 'qemu-img convert -O qcow2 DESCRIPTOR.vmdk disk.qcow2, where you trust it, makes one file of all parts',
};

function parseHeader(bytes: Buffer): SparseHeader | undefined {
  if (bytes.length < SECTOR_BYTES || bytes.toString('latin1', 0, SPARSE_MAGIC.length) !== SPARSE_MAGIC)
    return undefined;
  return {
    capacity: Number(bytes.readBigUInt64LE(12)),
    grain: Number(bytes.readBigUInt64LE(20)),
    descriptorOffset: Number(bytes.readBigUInt64LE(28)),
    grainsPerTable: bytes.readUInt32LE(44),
    directoryOffset: Number(bytes.readBigUInt64LE(56)),
    isReplaced: bytes.readBigUInt64LE(56) === DIRECTORY_AT_END,
  };
}

function findDescriptorProblem(descriptor: string): ImageProblem | undefined {
  const type = /createType\s*=\s*"([^"]*)"/.exec(descriptor)?.[1];
  if (type === undefined) return SEVERAL_FILES;
  const parentName = /parentFileNameHint[\s=]*"?([^"\r\n]*)/.exec(descriptor)?.[1];
  if (parentName !== undefined) {
    return { what: `it stands on another file, ${printableName(parentName)}`, cure: FLATTEN };
  }
  const parentId = /parentCID\s*=\s*([0-9a-f]+)/i.exec(descriptor)?.[1];
  if (parentId === undefined) return NOT_WHOLE;
  if (parentId.toLowerCase() !== NO_PARENT) return { what: 'it stands on another file', cure: FLATTEN };
  return WHOLE_TYPES.includes(type) ? undefined : SEVERAL_FILES;
}

function findSpaceProblem(
  { capacity, grain, grainsPerTable, directoryOffset }: SparseHeader,
  fileBytes: number,
): ImageProblem | undefined {
  const tables = Math.ceil(capacity / (grain * grainsPerTable));
  if (directoryOffset * SECTOR_BYTES + tables * DIRECTORY_ENTRY_BYTES > fileBytes) return LYING;
  // Everything in the format is counted in sectors: a file that ends within one was cut.
  return toWholeSectors(fileBytes) === fileBytes ? undefined : NOT_WHOLE;
}
