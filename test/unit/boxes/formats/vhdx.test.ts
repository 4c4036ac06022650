import { describe, expect, test } from 'vitest';
import { readVhdx } from '../../../../src/boxes/formats/vhdx.ts';
import { bufferImage } from './buffer-image.ts';

const KIB = 1024;
const MIB = 2 ** 20;
const REGIONS = 192 * KIB;
const BAT = MIB;
const METADATA = 2 * MIB;
const ITEMS = METADATA + 64 * KIB;

/** Writes an entry of 32 bytes: a GUID as on disk, then what follows it. */
function writeEntry(bytes: Buffer, at: number, guid: string, write: (entry: Buffer) => void): void {
  bytes.write(guid, at, 'hex');
  write(bytes.subarray(at + 16, at + 32));
}

/** A VHDX of 1 GiB in blocks of 32 MiB, with its tables in the places where Hyper-V has them, and no data. */
function vhdx(patch: (bytes: Buffer) => void = () => {}): Buffer {
  const bytes = Buffer.alloc(3 * MIB);
  bytes.write('vhdxfile', 'latin1');
  bytes.write('regi', REGIONS, 'latin1');
  bytes.writeUInt32LE(2, REGIONS + 8);
  writeEntry(bytes, REGIONS + 16, '6677c22d23f600429d64115e9bfd4a08', (entry) => {
    entry.writeBigUInt64LE(BigInt(BAT), 0);
    entry.writeUInt32LE(MIB, 8);
  });
  writeEntry(bytes, REGIONS + 48, '06a27c8b90479a4bb8fe575f050f886e', (entry) => {
    entry.writeBigUInt64LE(BigInt(METADATA), 0);
    entry.writeUInt32LE(MIB, 8);
  });
  bytes.write('metadata', METADATA, 'latin1');
  bytes.writeUInt16LE(2, METADATA + 10);
  writeEntry(bytes, METADATA + 32, '2442a52f1bcd7648b2115dbed83bf4b8', (entry) => entry.writeUInt32LE(64 * KIB, 0));
  writeEntry(bytes, METADATA + 64, '3767a1ca36fa434db3b633f0aa44e76b', (entry) => entry.writeUInt32LE(64 * KIB + 8, 0));
  bytes.writeBigUInt64LE(2n ** 30n, ITEMS);
  bytes.writeUInt32LE(32 * MIB, ITEMS + 8);
  patch(bytes);
  return bytes;
}

async function problemOf(bytes: Buffer): Promise<string | undefined> {
  return (await readVhdx(bufferImage(bytes))).problem?.what;
}

describe('readVhdx', () => {
  test('a plain disk', async () => {
    expect(await readVhdx(bufferImage(vhdx()))).toEqual({ virtualSizeBytes: 2 ** 30, problem: undefined });
  });

  test('a fixed disk', async () => {
    const bytes = vhdx((image) => image.writeUInt32LE(1, ITEMS + 12));
    expect(await readVhdx(bufferImage(bytes))).toEqual({ virtualSizeBytes: 2 ** 30, problem: undefined });
  });

  test('a disk with a parent stands on another file', async () => {
    const bytes = vhdx((image) => image.writeUInt32LE(2, ITEMS + 12));
    expect(await problemOf(bytes)).toContain('it stands on another file');
  });

  test('more disk than the table has entries for is a lie', async () => {
    const bytes = vhdx((image) => image.writeBigUInt64LE(2n ** 43n, ITEMS));
    expect(await problemOf(bytes)).toBe('its header lies about its size');
  });

  test.each([
    ['no region table', vhdx().subarray(0, REGIONS)],
    ['an empty region table', vhdx((image) => image.writeUInt32LE(0, REGIONS + 8))],
    ['no metadata', vhdx().subarray(0, METADATA)],
    ['metadata beyond what a number can say', vhdx((image) => image.fill(0xff, REGIONS + 64, REGIONS + 72))],
    ['no size', vhdx((image) => image.writeUInt8(0, METADATA + 32))],
    ['items that are not there', vhdx((image) => image.writeUInt32LE(MIB, METADATA + 32 + 16))],
    ['a table larger than the file', vhdx((image) => image.writeUInt32LE(0xfff0_0000, REGIONS + 16 + 24))],
  ])('%s', async (_, bytes) => {
    expect(await problemOf(bytes)).toBe('it is damaged or not whole');
  });

  test('more entries than a table can have are not looked for', async () => {
    expect(await problemOf(vhdx((image) => image.writeUInt32LE(0xffff_ffff, REGIONS + 8)))).toBeUndefined();
  });
});
