import { expect, test } from 'vitest';
import { parseHeader } from '../../../../src/boxes/archives/tar-header.ts';
import { readTar } from '../../../../src/boxes/archives/tar-reader.ts';
import { tarArchive, tarStream } from '../../../../src/boxes/archives/tar-writer.ts';

async function* pieces(...contents: string[]): AsyncGenerator<Uint8Array> {
  for (const content of contents) yield Buffer.from(content);
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('a stream has what is read back, in its order', async () => {
  const sizeBytes = 600;
  const content = pieces('x'.repeat(500), 'y'.repeat(100));
  const archive = await collect(
    tarStream([
      { name: 'first.txt', content: 'one\n', mode: 0o644 },
      { name: 'second.img', mode: 0o600, sizeBytes, content },
      { name: 'third.txt', content: '', mode: 0o644 },
    ]),
  );
  const read: [string, string][] = [];
  await readTar(
    pieces(archive.toString('latin1')),
    async ({ name, sizeBytes: size }, chunks) => {
      const bytes = Buffer.alloc(size);
      for await (const chunk of chunks) bytes.set(chunk.bytes, chunk.offset);
      read.push([name, bytes.toString()]);
    },
    { shownAs: 'the archive' },
  );
  expect(read).toEqual([
    ['first.txt', 'one\n'],
    ['second.img', 'x'.repeat(500) + 'y'.repeat(100)],
    ['third.txt', ''],
  ]);
});

test('a stream of small files is the archive of them', async () => {
  const members = [
    { name: 'a', content: 'one', mode: 0o644 },
    { name: 'b', content: 'two', mode: 0o600 },
  ];
  expect(await collect(tarStream(members))).toEqual(Buffer.from(tarArchive(members)));
});

test.each([8 ** 11 - 1, 8 ** 11, 3 * 2 ** 40])('a size of %i bytes is said', async (sizeBytes) => {
  const stream = tarStream([{ name: 'big', mode: 0o644, sizeBytes, content: pieces() }]);
  const { value: header } = await stream.next();
  expect(parseHeader(Buffer.from(header ?? []))).toMatchObject({ name: 'big', storedBytes: sizeBytes });
});
