import { describe, expect, test } from 'vitest';
import { readVdi } from '../../../../src/boxes/formats/vdi.ts';
import { bufferImage } from './buffer-image.ts';

const MIB = 2 ** 20;
const DATA_OFFSET = 1024;

/** A dynamic VDI of 3 MiB of which one block is there; `patch` changes its header. */
function vdi(patch: (bytes: Buffer) => void = () => {}): Buffer {
  const bytes = Buffer.alloc(DATA_OFFSET + MIB);
  bytes.writeUInt32LE(0xbeda107f, 0x40);
  bytes.writeUInt32LE(1, 0x4c);
  bytes.writeUInt32LE(512, 0x154);
  bytes.writeUInt32LE(DATA_OFFSET, 0x158);
  bytes.writeBigUInt64LE(BigInt(3 * MIB), 0x170);
  bytes.writeUInt32LE(MIB, 0x178);
  bytes.writeUInt32LE(3, 0x180);
  bytes.writeUInt32LE(1, 0x184);
  patch(bytes);
  return bytes;
}

async function problemOf(bytes: Buffer): Promise<string | undefined> {
  return (await readVdi(bufferImage(bytes))).problem?.what;
}

describe('readVdi', () => {
  test.each([
    ['dynamic', 1],
    ['static', 2],
  ])('a plain %s image', async (_, type) => {
    const bytes = vdi((header) => header.writeUInt32LE(type, 0x4c));
    expect(await readVdi(bufferImage(bytes))).toEqual({ virtualSizeBytes: 3 * MIB, problem: undefined });
  });

  test('a size that ends within a sector is rounded up, as QEMU does', async () => {
    const bytes = vdi((header) => header.writeBigUInt64LE(BigInt(2 * MIB + 1), 0x170));
    expect(await readVdi(bufferImage(bytes))).toEqual({ virtualSizeBytes: 2 * MIB + 512, problem: undefined });
  });

  test.each([
    ['a differencing image', (header: Buffer) => header.writeUInt32LE(4, 0x4c)],
    ['an undo image', (header: Buffer) => header.writeUInt32LE(3, 0x4c)],
    ['a UUID of a linked image', (header: Buffer) => header.writeUInt8(1, 0x1a8)],
    ['a UUID of a parent', (header: Buffer) => header.writeUInt8(1, 0x1c7)],
  ])('%s stands on another file', async (_, patch) => {
    expect(await problemOf(vdi(patch))).toContain('it stands on another file');
  });

  test('more disk than there are blocks is a lie', async () => {
    const bytes = vdi((header) => header.writeBigUInt64LE(BigInt(3 * MIB + 512), 0x170));
    expect(await problemOf(bytes)).toBe('its header lies about its size');
  });

  test.each([
    ['an unknown type', vdi((header) => header.writeUInt32LE(5, 0x4c))],
    ['a header cut off', vdi().subarray(0, 0x1c7)],
    ['a block cut off', vdi().subarray(0, -1)],
    ['a block map larger than the file', vdi((header) => header.writeUInt32LE(0x3fff_ffff, 0x180))],
  ])('%s', async (_, bytes) => {
    expect(await problemOf(bytes)).toBe('it is damaged or not whole');
  });
});
