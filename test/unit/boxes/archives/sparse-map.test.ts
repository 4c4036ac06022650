import { describe, expect, test } from 'vitest';
import { END, filesOf, header, member, numberField, padded, pax, refusalOf, streamOf } from './make-tar.ts';

type Extents = readonly (readonly [offset: number, length: number])[];

/** A format of sparse files: an archive of one of `sizeBytes`, with what its extents have one after another in `data`. */
type Format = (sizeBytes: number, extents: Extents, data: string) => Buffer;

const fields = (extents: Extents) => Buffer.concat(extents.flat().map(numberField));

function oldGnu(sizeBytes: number, extents: Extents, data: string): Buffer {
  const extensions: Buffer[] = [];
  for (let index = 4; index < extents.length; index += 21) {
    const block = Buffer.alloc(512);
    fields(extents.slice(index, index + 21)).copy(block);
    block[504] = extents.length > index + 21 ? 1 : 0;
    extensions.push(block);
  }
  const patches = {
    257: 'ustar  \0',
    386: fields(extents.slice(0, 4)),
    482: Buffer.of(extents.length > 4 ? 1 : 0),
    483: numberField(sizeBytes),
  };
  return Buffer.concat([
    header({ name: 'disk', type: 'S', sizeBytes: data.length, patches }),
    ...extensions,
    padded(data),
    END,
  ]);
}

function pax00(sizeBytes: number, extents: Extents, data: string): Buffer {
  const records = extents.flatMap(([offset, length]) => [
    ['GNU.sparse.offset', offset] as const,
    ['GNU.sparse.numbytes', length] as const,
  ]);
  const sparse = pax(['GNU.sparse.size', sizeBytes], ['GNU.sparse.numblocks', extents.length], ...records);
  return Buffer.concat([sparse, member(data, { name: 'disk' }), END]);
}

function pax01(sizeBytes: number, extents: Extents, data: string): Buffer {
  const sparse = pax(
    ['GNU.sparse.size', sizeBytes],
    ['GNU.sparse.numblocks', extents.length],
    ['GNU.sparse.name', 'disk'],
    ['GNU.sparse.map', extents.flat().join(',')],
  );
  return Buffer.concat([sparse, member(data, { name: './GNUSparseFile.123/disk' }), END]);
}

function pax10(sizeBytes: number, extents: Extents, data: string): Buffer {
  return withMap(sizeBytes, [extents.length, ...extents.flat()].map((number) => `${number}\n`).join(''), data);
}

function withMap(sizeBytes: number, map: string, data: string, minor = 0): Buffer {
  const sparse = pax(
    ['GNU.sparse.major', 1],
    ['GNU.sparse.minor', minor],
    ['GNU.sparse.name', 'disk'],
    ['GNU.sparse.realsize', sizeBytes],
  );
  const content = Buffer.concat([padded(map), Buffer.from(data)]);
  return Buffer.concat([sparse, member(content, { name: './GNUSparseFile.123/disk' }), END]);
}

const read = (bytes: Uint8Array) => filesOf(streamOf(bytes));
describe.each<[string, Format]>([
  ['old GNU', oldGnu],
  ['pax 0.0', pax00],
  ['pax 0.1', pax01],
  ['pax 1.0', pax10],
])('%s', (_name, archive) => {
  test('data before, between and after holes', async () => {
    const extents = [
      [1000, 3],
      [5000, 2],
      [2 ** 40, 0],
    ] as const;
    expect(await read(archive(2 ** 40, extents, 'abcde'))).toEqual([
      {
        name: 'disk',
        sizeBytes: 2 ** 40,
        pieces: [
          [1000, 'abc'],
          [5000, 'de'],
        ],
      },
    ]);
  });

  test('nothing but a hole', async () => {
    expect(await read(archive(7000, [[7000, 0]], ''))).toEqual([{ name: 'disk', sizeBytes: 7000, pieces: [] }]);
  });

  test('many parts, cut anywhere, and a member after them', async () => {
    const extents = Array.from({ length: 60 }, (_, index) => [index * 100, 10] as const);
    const data = Array.from({ length: 60 }, (_, index) => `part ${index}`.padEnd(10)).join('');
    const whole = archive(6000, extents, data);
    const bytes = Buffer.concat([whole.subarray(0, -END.length), member('x', { name: 'next' }), END]);
    for (const pieceBytes of [bytes.length, 700]) {
      const [disk, next] = await filesOf(streamOf(bytes, pieceBytes));
      const content = Buffer.alloc(6000);
      for (const [offset, text] of disk?.pieces ?? []) content.write(text, offset);
      expect(content.toString('utf8', 5900, 5910)).toBe('part 59   ');
      expect(disk?.pieces.map(([, text]) => text).join('')).toBe(data);
      expect(next).toMatchObject({ name: 'next', pieces: [[0, 'x']] });
    }
  });

  test.each<[string, Extents, string, string]>([
    [
      'overlaps',
      [
        [0, 4],
        [3, 2],
      ],
      'abcdef',
      'overlaps itself or goes backwards',
    ],
    [
      'goes backwards',
      [
        [50, 3],
        [0, 3],
      ],
      'abcdef',
      'overlaps itself or goes backwards',
    ],
    ['exceeds the file', [[98, 3]], 'abc', 'exceeds the file'],
    ['wants more than there is', [[0, 4]], 'abc', 'has 4 bytes where 3 are stored'],
    ['leaves something over', [[0, 2]], 'abc', 'has 2 bytes where 3 are stored'],
  ])('a map that %s is refused', async (_what, extents, data, problem) => {
    expect(await refusalOf(archive(100, extents, data))).toBe(`the.box is damaged: the sparse map of disk ${problem}`);
  });
});

test('an extension of the old map that is missing is truncation', async () => {
  const whole = oldGnu(
    100,
    [
      [0, 1],
      [2, 1],
      [4, 1],
      [6, 1],
      [8, 1],
    ],
    'abcde',
  );
  expect(await refusalOf(whole.subarray(0, 512))).toBe('the.box is truncated');
});

test('an old map without end is refused before it fills the memory', async () => {
  const block = Buffer.alloc(512);
  for (let offset = 0; offset < 504; offset += 12) block.write('0', offset);
  block[504] = 1;
  const blocks = Buffer.concat(Array.from({ length: 2048 }, () => block));
  async function* source() {
    yield header({ name: 'disk', type: 'S', patches: { 482: Buffer.of(1), 483: numberField(1) } });
    for (let count = 0; count < 25; count++) yield blocks;
  }
  await expect(filesOf(source())).rejects.toThrow('the.box is damaged: the sparse map of disk is malformed');
  // Two million numbers are read.
}, 30_000);

test.each([
  ['no number', '1\nx\n3\n'],
  ['a negative number', '1\n-5\n3\n'],
  ['no count', '\n'],
  ['a count without end', '1'.repeat(512)],
  ['a number without end', `1\n${'1'.repeat(1500)}`],
  ['more parts than memory should hold', `${2 ** 20 + 1}\n`],
])('a leading map with %s is refused', async (_what, map) => {
  expect(await refusalOf(withMap(100, map, 'abc'))).toBe('the.box is damaged: the sparse map of disk is malformed');
});

test('a leading map that is longer than its member is refused', async () => {
  const bytes = withMap(100, '0\n', '');
  const short = member('0\n', { name: 'short' });
  expect(await refusalOf(Buffer.concat([bytes.subarray(0, 1024), short, END]))).toBe(
    'the.box is damaged: the sparse map of disk has 0 bytes where -510 are stored',
  );
});

test.each([
  ['an unknown version', withMap(100, '1\n0\n3\n', 'abc', 1)],
  ['no size', pax(['GNU.sparse.major', 1], ['GNU.sparse.minor', 0])],
  ['another count', pax(['GNU.sparse.size', 9], ['GNU.sparse.numblocks', 2], ['GNU.sparse.map', '0,3'])],
  ['half a part', pax(['GNU.sparse.size', 9], ['GNU.sparse.numblocks', 2], ['GNU.sparse.map', '0,3,5'])],
])('an extended header with %s is refused', async (_what, bytes) => {
  expect(await refusalOf(Buffer.concat([bytes, member('abc')]))).toBe(
    'the.box is damaged: an extended header is malformed',
  );
});
