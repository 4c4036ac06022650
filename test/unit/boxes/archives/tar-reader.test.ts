import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readTar } from '../../../../src/boxes/archives/tar-reader.ts';
import { archive, filesOf, header, member, padded, pax, refusalOf, streamOf } from './make-tar.ts';

const read = (bytes: Uint8Array, options = {}) => filesOf(streamOf(bytes), options);
const namesOf = async (bytes: Uint8Array) => (await read(bytes)).map(({ name }) => name);
/** Made by bsdtar 3.6.2 of a small metadata.json and a box.img of 3000000 bytes with data at 0, at 1 MiB and at the end. */
const BY_BSDTAR = Buffer.from(
  [
    'H4sIAAAAAAACA+3a30rDMBQG8F7nKUofIDtJ03YVeiFsOkGHID5AxoJk9M9I6yiK7251iKMXE4SWOb/fTehJL9qTfOlN+aQwjV7r',
    'RvNNXZXeEIgoVsr/GDv9sSMTn775JMKYlOeTN4LnutGuexRXVc2x+36a77/cH/EabF21s2vjgosgt6uddU3wxjz4H/jkXrcLo7sN',
    'MFlVLbfF0+j5FxH18q/COPL8FvkfnJT+9fKR11vtasMLvalcJlivasuuSkymh9VSFybjX5uGheJw0hmd1/bFZOG+HzhQTjb/3ao9',
    'fC7alc0NpwFOgeP5lyqkfv4jEeP7P4qQEVOUxkyQmkZJvL+QaTqViWQikVNE95wt5pczdAEAAAAAAADgvN3dzGa3c/QBAAAAAAAA',
    'AAAAAE7IfIl/1wAAfukdcgg5kAA4AAA=',
  ].join(''),
  'base64',
);

describe('files', () => {
  test('are delivered in order, with names made relative', async () => {
    const bytes = archive(
      header({ name: './', type: '5' }),
      member('{}', { name: './metadata.json' }),
      header({ name: './sub/', type: '5' }),
      member('disk', { name: 'sub//./box.img' }),
    );
    expect(await read(bytes)).toEqual([
      { name: 'metadata.json', sizeBytes: 2, pieces: [[0, '{}']] },
      { name: 'sub/box.img', sizeBytes: 4, pieces: [[0, 'disk']] },
    ]);
  });

  test('are the same however the stream is cut', async () => {
    const text = 'x'.repeat(700);
    const bytes = archive(
      pax(['path', 'long']),
      member(text),
      member('', { name: 'empty' }),
      member('end', { name: 'c' }),
    );
    for (const pieceBytes of [1, 7, 511, 512, 513, 1000]) {
      const files = await filesOf(streamOf(bytes, pieceBytes));
      expect(files.map(({ name, pieces }) => [name, pieces.map(([, piece]) => piece).join('')])).toEqual([
        ['long', text],
        ['empty', ''],
        ['c', 'end'],
      ]);
    }
  });

  test('are delivered as views of what the source gave', async () => {
    const bytes = archive(member('x'.repeat(5000)));
    let buffer: unknown;
    const visit = async (_entry: unknown, content: AsyncIterable<{ bytes: Uint8Array }>) => {
      for await (const chunk of content) buffer = chunk.bytes.buffer;
    };
    await readTar(streamOf(bytes), visit, { shownAs: 'the.box' });
    expect(buffer).toBe(bytes.buffer);
  });

  test('are skipped where the visitor does not read them, or not to the end', async () => {
    const bytes = archive(
      member('a'.repeat(2000), { name: 'a' }),
      member('b'.repeat(2000), { name: 'b' }),
      member('c', { name: 'c' }),
    );
    const seen: string[] = [];
    await readTar(
      streamOf(bytes, 300),
      async ({ name }, content) => {
        seen.push(name);
        if (name === 'b') for await (const chunk of content) if (chunk.offset > 0) break;
      },
      { shownAs: 'the.box' },
    );
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  test('may be of every type that means a file, and folders may be named by a slash only', async () => {
    const files = ['0', '\0', '7'].map((type, index) => member('x', { name: `f${index}`, type }));
    expect(await namesOf(archive(...files, header({ name: 'old-folder/', type: '\0' })))).toEqual(['f0', 'f1', 'f2']);
  });

  test('a folder has nothing in the archive, whatever its size says', async () => {
    const folder = header({ name: 'a/', type: '5', sizeBytes: 4096 });
    expect(await namesOf(archive(folder, member('x', { name: 'b' })))).toEqual(['b']);
  });
});

describe('names', () => {
  const long = `${'d'.repeat(150)}/${'f'.repeat(120)}`;

  test('in two parts, of ustar; what GNU tar has there is no name', async () => {
    const ustar = header({ name: 'file', patches: { 345: 'some/folder' } });
    const gnu = header({ name: 'other', patches: { 257: 'ustar  \0', 345: '14524770000\0' } });
    expect(await namesOf(archive(ustar, gnu))).toEqual(['some/folder/file', 'other']);
  });

  test('of GNU tar’s long form, also where a link’s target comes with them', async () => {
    const target = member('ignored\0', { type: 'K' });
    expect(await namesOf(archive(target, member(`${long}\0`, { type: 'L' }), member('x'), member('y')))).toEqual([
      long,
      'file',
    ]);
  });

  test('of pax, in UTF-8, the last one; they hold for one member', async () => {
    const bytes = archive(pax(['comment', 'a=b'], ['path', 'no'], ['path', `./${long}ü`]), member('x'), member('y'));
    expect(await namesOf(bytes)).toEqual([`${long}ü`, 'file']);
  });

  test('an empty record of pax leaves the name of the header', async () => {
    expect(await namesOf(archive(pax(['path', '']), member('x')))).toEqual(['file']);
  });

  test('a global extended header names nothing', async () => {
    expect(
      await namesOf(
        archive(member('52 comment=0123456789012345678901234567890123456789\n', { type: 'g' }), member('x')),
      ),
    ).toEqual(['file']);
  });
});

describe('sizes', () => {
  test('in base 256', async () => {
    const base256 = Buffer.alloc(12);
    base256.writeUInt8(0x80);
    base256.writeUInt8(5, 11);
    const bytes = archive(header({ patches: { 124: base256 } }), padded('12345'));
    expect(await read(bytes)).toEqual([{ name: 'file', sizeBytes: 5, pieces: [[0, '12345']] }]);
  });

  test('of pax, where the header has none', async () => {
    expect(await read(archive(pax(['size', 5]), header({}), padded('12345')))).toMatchObject([{ sizeBytes: 5 }]);
  });

  test.each([
    ['negative', Buffer.alloc(12, 0xff)],
    ['above 2^53', Buffer.concat([Buffer.of(0x80, 0, 0, 0, 1), Buffer.alloc(7)])],
    ['no number', Buffer.from('12345678x90\0')],
  ])('that are %s are damage', async (_what, field) => {
    expect(await refusalOf(archive(header({ patches: { 124: field } })))).toBe(
      'the.box is damaged: there is no header of a tar archive at byte 0',
    );
  });
});

test('a box by bsdtar', async () => {
  const files = await read(gunzipSync(BY_BSDTAR));
  expect(files.map(({ name, sizeBytes }) => [name, sizeBytes])).toEqual([
    ['metadata.json', 23],
    ['box.img', 3_000_000],
  ]);
  const zeros = '\0'.repeat(4092);
  expect(files[1]?.pieces).toEqual([
    [0, `HEAD${zeros}`],
    [1_048_576, `MIDDLE${zeros.slice(2)}`],
    [2_998_272, `${'\0'.repeat(1725)}END`],
  ]);
});

describe('the source', () => {
  async function closed(work: (source: AsyncGenerator<Uint8Array>) => Promise<unknown>) {
    let isClosed = false;
    async function* source() {
      try {
        yield archive(member('x'), header({ type: '2', name: 'link' }));
      } finally {
        isClosed = true;
      }
    }
    const error = await work(source()).catch((thrown: unknown) => thrown);
    return { isClosed, error };
  }

  test('is closed when the archive is refused', async () => {
    const { isClosed, error } = await closed((source) => filesOf(source));
    expect(isClosed).toBe(true);
    expect(error).toMatchObject({ message: 'the.box: the member link is a symbolic link' });
  });

  test('is closed when the visitor fails, whose error is passed on', async () => {
    const failure = new Error('no space');
    const visit = () => Promise.reject(failure);
    const { isClosed, error } = await closed((source) => readTar(source, visit, { shownAs: 'the.box' }));
    expect(isClosed).toBe(true);
    expect(error).toBe(failure);
  });

  test('says itself why it fails', async () => {
    const failure = new Error('connection lost');
    async function* source() {
      yield header({ sizeBytes: 10 });
      throw failure;
    }
    await expect(filesOf(source())).rejects.toBe(failure);
  });
});
