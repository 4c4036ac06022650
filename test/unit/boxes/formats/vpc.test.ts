import { describe, expect, test } from 'vitest';
import { readVpc } from '../../../../src/boxes/formats/vpc.ts';
import { bufferImage } from './buffer-image.ts';

const MIB = 2 ** 20;
const TYPE_AT = 60;

function footer(type: number, sizeBytes: number, dataOffset = 0xffff_ffff_ffff_ffffn): Buffer {
  const bytes = Buffer.alloc(512);
  bytes.write('conectix', 'latin1');
  bytes.writeBigUInt64BE(dataOffset, 16);
  bytes.writeBigUInt64BE(BigInt(sizeBytes), 48);
  bytes.writeUInt32BE(type, TYPE_AT);
  return bytes;
}

const fixed = (sizeBytes = MIB) => Buffer.concat([Buffer.alloc(MIB), footer(2, sizeBytes)]);

/** A dynamic VHD of up to 4 MiB without any data: footer, header, table of two blocks, footer. */
function dynamic({ type = 3, sizeBytes = 4 * MIB, blocks = 2 } = {}): Buffer {
  const header = Buffer.alloc(1024);
  header.write('cxsparse', 'latin1');
  header.writeBigUInt64BE(1536n, 16);
  header.writeUInt32BE(blocks, 28);
  header.writeUInt32BE(2 * MIB, 32);
  const ends = footer(type, sizeBytes, 512n);
  return Buffer.concat([ends, header, Buffer.alloc(512, 0xff), ends]);
}

async function problemOf(bytes: Buffer): Promise<string | undefined> {
  return (await readVpc(bufferImage(bytes))).problem?.what;
}

describe('readVpc', () => {
  test('a fixed disk has its footer at the end only', async () => {
    expect(await readVpc(bufferImage(fixed()))).toEqual({ virtualSizeBytes: MIB, problem: undefined });
  });

  test('Virtual PC wrote a footer of 511 bytes', async () => {
    const bytes = fixed().subarray(0, -1);
    expect(await readVpc(bufferImage(bytes))).toEqual({ virtualSizeBytes: MIB, problem: undefined });
  });

  test('a dynamic disk', async () => {
    expect(await readVpc(bufferImage(dynamic()))).toEqual({ virtualSizeBytes: 4 * MIB, problem: undefined });
  });

  test.each([
    ['at the beginning', dynamic({ type: 4 })],
    ['at the end only', Buffer.concat([Buffer.alloc(MIB), footer(4, MIB)])],
  ])('a differencing disk, said %s, stands on another file', async (_, bytes) => {
    expect(await problemOf(bytes)).toContain('it stands on another file');
  });

  test.each([
    ['a fixed disk of more than the file', fixed(MIB + 512)],
    ['a dynamic disk of more than its blocks', dynamic({ sizeBytes: 4 * MIB + 512 })],
  ])('%s is a lie', async (_, bytes) => {
    expect(await problemOf(bytes)).toBe('its header lies about its size');
  });

  test.each([
    ['a dynamic disk without its beginning', dynamic().subarray(512)],
    ['a dynamic disk without its end', dynamic().subarray(0, -512)],
    ['a fixed disk with a footer at its beginning', dynamic({ type: 2 })],
    ['a header that is not there', Buffer.concat([footer(3, MIB, 4096n), footer(3, MIB, 4096n)])],
    ['a header that is none', Buffer.concat([footer(3, MIB, 0n), Buffer.alloc(1024), footer(3, MIB, 0n)])],
    ['a table larger than the file', dynamic({ blocks: 2 ** 29 })],
  ])('%s', async (_, bytes) => {
    expect(await problemOf(bytes)).toBe('it is damaged or not whole');
  });
});
