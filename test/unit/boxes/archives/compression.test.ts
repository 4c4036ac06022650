import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decompress, detectCompression } from '../../../../src/boxes/archives/compression.ts';
import { InterruptedError, VmError } from '../../../../src/errors.ts';
import { streamOf } from './make-tar.ts';

const { signal } = new AbortController();

test.each([
  ['gzip', '1f8b0800'],
  ['xz', 'fd377a585a0000'],
  ['zstd', '28b52ffd04'],
  ['bzip2', '425a6839'],
  [undefined, '514649fb00000003'],
  [undefined, 'fd377a58'],
  [undefined, ''],
])('detectCompression: %s', (compression, beginning) => {
  expect(detectCompression(Buffer.from(beginning, 'hex'))).toBe(compression);
});

describe('gzip', () => {
  const text = Array.from({ length: 20_000 }, (_, index) => `line ${index}\n`).join('');
  const packed = gzipSync(text);
  const unpack = async (bytes: Uint8Array, pieceBytes?: number) => {
    const source = Readable.from(streamOf(bytes, pieceBytes));
    const pieces: Uint8Array[] = [];
    for await (const piece of decompress(source, 'gzip', { shownAs: 'the.box', signal })) pieces.push(piece);
    return { text: Buffer.concat(pieces).toString(), source };
  };

  test('gives what was packed, and destroys the source', async () => {
    const unpacked = await unpack(packed, 1000);
    expect(unpacked.text === text).toBe(true);
    expect(unpacked.source.destroyed).toBe(true);
  });

  test.each([undefined, packed.length, 13])('several members are one (pieces of %s bytes)', async (pieceBytes) => {
    const two = Buffer.concat([packed, gzipSync('end')]);
    expect((await unpack(two, pieceBytes)).text === `${text}end`).toBe(true);
  });

  test('zeros after it are padding', async () => {
    const padded = Buffer.concat([packed, Buffer.alloc(100_000)]);
    for (const pieceBytes of [padded.length, packed.length, 20_000]) {
      expect((await unpack(padded, pieceBytes)).text === text).toBe(true);
    }
  });

  test.each([
    ['is cut', packed.subarray(0, -9)],
    ['is cut in its checksum', packed.subarray(0, -2)],
    ['has garbage after it', Buffer.concat([packed, Buffer.from('garbage')])],
    ['has another checksum', Buffer.concat([packed.subarray(0, -8), Buffer.alloc(8)])],
    ['is not gzip', Buffer.from('garbage')],
  ])('what %s is damaged', async (_what, bytes) => {
    const error = await unpack(bytes).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(VmError);
    expect(error).toMatchObject({ message: 'the.box is truncated or damaged', cause: { code: /^Z_/ } });
  });

  test('the source’s own failure is passed on', async () => {
    const failure = new Error('connection lost');
    async function* failing() {
      yield packed.subarray(0, 100);
      throw failure;
    }
    const unpacking = decompress(Readable.from(failing()), 'gzip', { shownAs: 'the.box', signal });
    await expect(unpacking.next().then(() => unpacking.next())).rejects.toBe(failure);
  });

  test('a reader that stops destroys the source', async () => {
    const source = Readable.from(streamOf(packed, 1000));
    for await (const _piece of decompress(source, 'gzip', { shownAs: 'the.box', signal })) break;
    expect(source.destroyed).toBe(true);
  });

  test('an interrupt ends it while it waits for the source', async () => {
    const controller = new AbortController();
    const source = new Readable({ read() {} });
    const unpacking = decompress(source, 'gzip', { shownAs: 'the.box', signal: controller.signal }).next();
    controller.abort();
    await expect(unpacking).rejects.toBeInstanceOf(InterruptedError);
    expect(source.destroyed).toBe(true);
  });
});
