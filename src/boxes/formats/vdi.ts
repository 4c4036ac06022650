import { type ImageBytes, toWholeSectors } from './image-bytes.ts';
import { type ImageMetadata, type ImageProblem, LYING, NOT_WHOLE, withProblem } from './image-metadata.ts';

/** VirtualBox's format, as QEMU's block/vdi.c reads it: all numbers are little-endian. */
interface VdiHeader {
  readonly type: number;
  readonly blockMapOffset: number;
  readonly dataOffset: number;
  readonly virtualSizeBytes: number;
  readonly blockBytes: number;
  readonly blocks: number;
  readonly allocatedBlocks: number;
  readonly hasParent: boolean;
}

const HEADER_BYTES = 0x1c8;
const TYPE = { dynamic: 1, static: 2, undo: 3, differencing: 4 };
const BLOCK_MAP_ENTRY_BYTES = 4;

export async function readVdi(image: ImageBytes): Promise<ImageMetadata> {
  const bytes = await image.read(0, HEADER_BYTES);
  if (bytes.length < HEADER_BYTES) return withProblem(NOT_WHOLE);
  const header = parseHeader(bytes);
  return { virtualSizeBytes: header.virtualSizeBytes, problem: findVdiProblem(header, image.sizeBytes) };
}

function parseHeader(bytes: Buffer): VdiHeader {
  return {
    type: bytes.readUInt32LE(0x4c),
    blockMapOffset: bytes.readUInt32LE(0x154),
    dataOffset: bytes.readUInt32LE(0x158),
    virtualSizeBytes: toWholeSectors(Number(bytes.readBigUInt64LE(0x170))),
    blockBytes: bytes.readUInt32LE(0x178),
    blocks: bytes.readUInt32LE(0x180),
    allocatedBlocks: bytes.readUInt32LE(0x184),
    // The UUIDs of a snapshot's parent and of its parent's state.
    hasParent: bytes.subarray(0x1a8, 0x1c8).some((byte) => byte !== 0),
  };
}

function findVdiProblem(header: VdiHeader, fileBytes: number): ImageProblem | undefined {
  if (header.hasParent || header.type === TYPE.differencing || header.type === TYPE.undo) {
    return {
      what: 'it stands on another file: it holds only what a snapshot changed',
      cure: 'VBoxManage clonemedium disk IMAGE WHOLE.vdi makes one file of it',
    };
  }
  if (header.type !== TYPE.dynamic && header.type !== TYPE.static) return NOT_WHOLE;
  if (header.virtualSizeBytes > header.blocks * header.blockBytes) return LYING;
  // QEMU allocates the block map as long as the header says, and reads zeros where the file ends too early.
  const mapEnd = header.blockMapOffset + header.blocks * BLOCK_MAP_ENTRY_BYTES;
  const dataEnd = header.dataOffset + header.allocatedBlocks * header.blockBytes;
  return Math.max(mapEnd, dataEnd) > fileBytes ? NOT_WHOLE : undefined;
}
