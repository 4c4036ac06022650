import { open, readFile } from 'node:fs/promises';

/** Overwrites a part of an image. */
export async function patch(imagePath: string, offset: number, bytes: Buffer): Promise<void> {
  await using file = await open(imagePath, 'r+');
  await file.write(bytes, 0, bytes.length, offset);
}

/** Makes a VHD one of a program that QEMU does not know, with 150 cylinders of 4 heads and 17 sectors. */
export async function patchFooter(imagePath: string, offset: number): Promise<void> {
  const footer = (await readFile(imagePath)).subarray(offset, offset + 512);
  footer.write('wa\0\0', 28, 'latin1');
  Buffer.from([0, 150, 4, 17]).copy(footer, 56);
  footer.writeUInt32BE(0, 64);
  footer.writeUInt32BE(~footer.reduce((sum, byte) => sum + byte, 0) >>> 0, 64);
  await patch(imagePath, offset, footer);
}

const KIB = 1024;
const LOG_OFFSET = 1024 * KIB;
const SEALED_BYTES = 4 * KIB;

/** Makes a VHDX, as qemu-img writes it, one that was in use when its machine lost power: its log has an entry. */
export async function patchLog(imagePath: string): Promise<void> {
  const bytes = await readFile(imagePath);
  const logId = Buffer.alloc(16, 7);
  const fileBytes = BigInt(bytes.length);
  bytes.fill(0, LOG_OFFSET, LOG_OFFSET + SEALED_BYTES);
  bytes.write('loge', LOG_OFFSET, 'latin1');
  bytes.writeUInt32LE(SEALED_BYTES, LOG_OFFSET + 8);
  bytes.writeBigUInt64LE(1n, LOG_OFFSET + 16);
  logId.copy(bytes, LOG_OFFSET + 32);
  bytes.writeBigUInt64LE(fileBytes, LOG_OFFSET + 48);
  bytes.writeBigUInt64LE(fileBytes, LOG_OFFSET + 56);
  for (const header of [64 * KIB, 128 * KIB]) logId.copy(bytes, header + 48);
  for (const sealed of [LOG_OFFSET, 64 * KIB, 128 * KIB]) {
    bytes.writeUInt32LE(0, sealed + 4);
    bytes.writeUInt32LE(crc32c(bytes.subarray(sealed, sealed + SEALED_BYTES)), sealed + 4);
  }
  await patch(imagePath, 0, bytes);
}

function crc32c(bytes: Buffer): number {
  let rest = 0xffff_ffff;
  for (const byte of bytes) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit += 1) rest = (rest >>> 1) ^ (rest & 1 ? 0x82f6_3b78 : 0);
  }
  return (rest ^ 0xffff_ffff) >>> 0;
}
