import { describe, expect, test } from 'vitest';
import { findImageProblem, readQcow2 } from '../../../../src/boxes/formats/qcow2.ts';
import { parseQcow2Header } from '../../../../src/boxes/formats/qcow2-header.ts';
import { bufferImage } from './buffer-image.ts';

/** The header of a plain image of 1 GiB, for which its L1 table has just enough entries. */
function header(version = 3): Buffer {
  const bytes = Buffer.alloc(512);
  bytes.writeUInt32BE(0x514649fb, 0);
  bytes.writeUInt32BE(version, 4);
  bytes.writeUInt32BE(16, 20);
  bytes.writeBigUInt64BE(2n ** 30n, 24);
  bytes.writeUInt32BE(2, 36);
  return bytes;
}

function withSize(sizeBytes: bigint): Buffer {
  const bytes = header();
  bytes.writeBigUInt64BE(sizeBytes, 24);
  return bytes;
}

function withClusterBits(bits: number): Buffer {
  const bytes = header();
  bytes.writeUInt32BE(bits, 20);
  bytes.writeUInt32BE(0xffff_ffff, 36);
  return bytes;
}

function withBackingFile(name: string): Buffer {
  const bytes = header();
  bytes.writeBigUInt64BE(200n, 8);
  bytes.writeUInt32BE(Buffer.byteLength(name), 16);
  bytes.write(name, 200);
  return bytes;
}

function withIncompatibleFeature(bit: bigint, version = 3): Buffer {
  const bytes = header(version);
  bytes.writeBigUInt64BE(1n << bit, 72);
  return bytes;
}

function encrypted(): Buffer {
  const bytes = header();
  bytes.writeUInt32BE(2, 32);
  return bytes;
}

function problemOf(bytes: Buffer): string | undefined {
  const parsed = parseQcow2Header(bytes);
  return parsed && findImageProblem(parsed)?.what;
}

describe('parseQcow2Header', () => {
  test.each([2, 3])('a plain image of version %d', (version) => {
    const parsed = parseQcow2Header(header(version));
    expect(parsed?.virtualSizeBytes).toBe(2 ** 30);
    expect(parsed && findImageProblem(parsed)).toBeUndefined();
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['another format', Buffer.from('KDMV'.padEnd(512))],
    ['a header cut off', header().subarray(0, 50)],
    ['an unknown version', header(4)],
  ])('%s is no qcow2', (_, bytes) => {
    expect(parseQcow2Header(bytes)).toBeUndefined();
  });
});

describe('findImageProblem', () => {
  test.each([
    ['a backing file', withBackingFile('/etc/shadow'), 'it stands on another file, /etc/shadow'],
    ['an external data file', withIncompatibleFeature(2n), 'its data is in another file'],
    ['encryption', encrypted(), 'it is encrypted'],
    ['a corruption mark', withIncompatibleFeature(1n), 'it is marked as corrupt'],
    [
      'a backing file with a name outside',
      withBackingFile('/etc/shadow').subarray(0, 150),
      'it stands on another file',
    ],
    [
      'a backing file that a terminal would obey',
      withBackingFile('\x1b]0;x\x07'),
      'it stands on another file, \ufffd]0;x\ufffd',
    ],
    ['more disk than its L1 table has entries for', withSize(2n ** 30n + 1n), 'its header lies about its size'],
    ['a table for half of it, as its entries are twice as long', withIncompatibleFeature(4n), 'its header lies'],
    ['clusters that are too small', withClusterBits(8), 'it is damaged or not whole'],
    ['clusters that are too large', withClusterBits(22), 'it is damaged or not whole'],
    ['clusters beyond any number', withClusterBits(0xffff_ffff), 'it is damaged or not whole'],
  ])('%s', (_, bytes, expected) => {
    expect(problemOf(bytes)).toContain(expected);
  });

  test.each([9, 21])('clusters of 2^%d bytes', (bits) => {
    expect(problemOf(withClusterBits(bits))).toBeUndefined();
  });

  test('version 2 has no features at that place', () => {
    expect(problemOf(withIncompatibleFeature(2n, 2))).toBeUndefined();
  });
});

describe('readQcow2', () => {
  test('a plain image', async () => {
    expect(await readQcow2(bufferImage(header()))).toEqual({ virtualSizeBytes: 2 ** 30, problem: undefined });
  });

  test('a header that cannot be read', async () => {
    const { problem } = await readQcow2(bufferImage(header().subarray(0, 50)));
    expect(problem?.what).toBe('it is damaged or not whole');
  });
});
