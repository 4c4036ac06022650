import { describe, expect, test } from 'vitest';
import { findImageProblem } from '../../../../src/boxes/formats/qcow2.ts';
import { parseQcow2Header } from '../../../../src/boxes/formats/qcow2-header.ts';

/** The header of a plain image of 1 GiB. */
function header(version = 3): Buffer {
  const bytes = Buffer.alloc(512);
  bytes.writeUInt32BE(0x514649fb, 0);
  bytes.writeUInt32BE(version, 4);
  bytes.writeBigUInt64BE(2n ** 30n, 24);
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
  ])('%s', (_, bytes, expected) => {
    expect(problemOf(bytes)).toContain(expected);
  });

  test('version 2 has no features at that place', () => {
    expect(problemOf(withIncompatibleFeature(2n, 2))).toBeUndefined();
  });
});
