import { open } from 'node:fs/promises';

/** What an ext4 file system says of itself. */
export interface Ext4Facts {
  readonly label: string;
  readonly sizeBytes: number;
}

const SUPERBLOCK_OFFSET = 1024;
const SUPERBLOCK_BYTES = 1024;
const MAGIC = 0xef53;

/**
 * Reads a superblock (the kernel's Documentation/filesystems/ext4/super.rst), which a guest has written: nothing else of
 * its file system is read on the host. Undefined for what is none. Pure.
 */
export function parseExt4Superblock(block: Buffer): Ext4Facts | undefined {
  if (block.length < SUPERBLOCK_BYTES || block.readUInt16LE(0x38) !== MAGIC) return undefined;
  const blockCount = block.readUInt32LE(0x4) + block.readUInt32LE(0x150) * 2 ** 32;
  const [label = ''] = block.toString('utf8', 0x78, 0x88).split('\0');
  return { label, sizeBytes: blockCount * 2 ** (10 + block.readUInt32LE(0x18)) };
}

/** The same of a raw disk. */
export async function readExt4(path: string): Promise<Ext4Facts | undefined> {
  await using file = await open(path, 'r');
  const { buffer, bytesRead } = await file.read(Buffer.alloc(SUPERBLOCK_BYTES), 0, SUPERBLOCK_BYTES, SUPERBLOCK_OFFSET);
  return parseExt4Superblock(buffer.subarray(0, bytesRead));
}
