import { describe, expect, test } from 'vitest';
import { readVmdk } from '../../../../src/boxes/formats/vmdk.ts';
import { bufferImage } from './buffer-image.ts';

const SECTOR = 512;
const SECTORS = 2048;
const AT_END = 0xffff_ffff_ffff_ffffn;

interface HeaderFields {
  readonly capacity?: number;
  readonly grain?: number;
  readonly descriptor?: number;
  readonly directory?: bigint;
}

/** The sparse header of a disk of 1 MiB. */
function header({ capacity = SECTORS, grain = 128, descriptor = 1, directory = 21n }: HeaderFields = {}): Buffer {
  const bytes = Buffer.alloc(SECTOR);
  bytes.write('KDMV', 'latin1');
  bytes.writeUInt32LE(1, 4);
  bytes.writeBigUInt64LE(BigInt(capacity), 12);
  bytes.writeBigUInt64LE(BigInt(grain), 20);
  bytes.writeBigUInt64LE(BigInt(descriptor), 28);
  bytes.writeBigUInt64LE(20n, 36);
  bytes.writeUInt32LE(512, 44);
  bytes.writeBigUInt64LE(directory, 56);
  return bytes;
}

const PLAIN = ['CID=57c5871f', 'parentCID=ffffffff', 'createType="monolithicSparse"'];

/** Header, descriptor, and the sectors behind them: an empty grain directory unless given. */
function vmdk(fields: HeaderFields, lines: readonly string[] = PLAIN, behind = Buffer.alloc(SECTOR)): Buffer {
  const descriptor = Buffer.alloc(20 * SECTOR);
  descriptor.write(['# Disk DescriptorFile', 'version=1', ...lines, 'RW 2048 SPARSE "disk.vmdk"', ''].join('\n'));
  return Buffer.concat([header(fields), descriptor, behind]);
}

const streamOptimized = PLAIN.map((line) => line.replace('monolithicSparse', 'streamOptimized'));
const endOfStream = Buffer.alloc(SECTOR);

async function problemOf(bytes: Buffer): Promise<string | undefined> {
  return (await readVmdk(bufferImage(bytes))).problem?.what;
}

describe('readVmdk', () => {
  test('a sparse image in one file', async () => {
    expect(await readVmdk(bufferImage(vmdk({})))).toEqual({ virtualSizeBytes: SECTORS * SECTOR, problem: undefined });
  });

  test('the header at the end is the valid one where the first says so', async () => {
    const behind = Buffer.concat([Buffer.alloc(SECTOR), header({ capacity: 4096 }), endOfStream]);
    const bytes = vmdk({ directory: AT_END }, streamOptimized, behind);
    expect(await readVmdk(bufferImage(bytes))).toEqual({ virtualSizeBytes: 4096 * SECTOR, problem: undefined });
  });

  test.each([
    ['a descriptor with its extents elsewhere', Buffer.from('# Disk DescriptorFile\nRW 2048 FLAT "/etc/shadow" 0\n')],
    ['an extent of ESX', Buffer.from('COWD'.padEnd(2048))],
    ['a sparse header without capacity, which makes QEMU read a descriptor', vmdk({ capacity: 0 })],
    ['an extent without descriptor', vmdk({ descriptor: 0 })],
    ['an extent with an empty descriptor', Buffer.concat([header(), Buffer.alloc(40 * SECTOR)])],
    ['another kind of image', vmdk({}, ['parentCID=ffffffff', 'createType="twoGbMaxExtentSparse"'])],
  ])('%s is a part of several files', async (_, bytes) => {
    expect(await problemOf(bytes)).toBe('it is one part of an image in several files');
  });

  test.each([
    ['a name', [...PLAIN, 'parentFileNameHint="/etc/shadow"'], 'it stands on another file, /etc/shadow'],
    [
      'a name in a comment, where QEMU finds it',
      [...PLAIN, '# parentFileNameHint="x"'],
      'it stands on another file, x',
    ],
    [
      'a name that a terminal would obey',
      [...PLAIN, 'parentFileNameHint="\x1b[2J"'],
      'it stands on another file, \ufffd[2J',
    ],
    ['an identity', PLAIN.map((line) => line.replace('ffffffff', '57c5871e')), 'it stands on another file'],
  ])('a parent by %s', async (_, lines, expected) => {
    expect(await problemOf(vmdk({}, lines))).toBe(expected);
  });

  test('what stands behind the end of the descriptor is not read', async () => {
    const bytes = vmdk({});
    bytes.write('parentFileNameHint="old"', SECTOR + 15 * SECTOR);
    expect(await problemOf(bytes)).toBeUndefined();
  });

  test.each([
    ['a directory behind the end', vmdk({ directory: 22n })],
    ['more disk than the directory can have entries for', vmdk({ capacity: 2 ** 34 })],
    ['grains of nothing', vmdk({ grain: 0 })],
    [
      'a last header that says it is not the last',
      vmdk({ directory: AT_END }, streamOptimized, Buffer.concat([header({ directory: AT_END }), endOfStream])),
    ],
  ])('%s is a lie', async (_, bytes) => {
    expect(await problemOf(bytes)).toBe('its header lies about its size');
  });

  test.each([
    ['no header at the end', vmdk({ directory: AT_END }, streamOptimized, Buffer.alloc(4 * SECTOR))],
    ['an end within a sector', Buffer.concat([vmdk({}), Buffer.alloc(100)])],
    ['a descriptor without the identity of a parent', vmdk({}, ['CID=57c5871f', 'createType="monolithicSparse"'])],
  ])('%s', async (_, bytes) => {
    expect(await problemOf(bytes)).toBe('it is damaged or not whole');
  });
});
