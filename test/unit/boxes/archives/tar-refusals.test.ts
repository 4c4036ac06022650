import { describe, expect, test } from 'vitest';
import { archive, filesOf, header, member, pax, refusalOf, streamOf } from './make-tar.ts';

const read = (bytes: Uint8Array, options = {}) => filesOf(streamOf(bytes), options);
const namesOf = async (bytes: Uint8Array) => (await read(bytes)).map(({ name }) => name);

describe('refused', () => {
  test.each([
    ['/etc/passwd', 'the.box: the member /etc/passwd would be written outside'],
    ['../../etc/passwd', 'the.box: the member ../../etc/passwd would be written outside'],
    ['a/../../b', 'the.box: the member a/../../b would be written outside'],
    ['a/..', 'the.box: the member a/.. would be written outside'],
    ['a\nb', 'the.box: the member a\ufffdb has control characters in its name'],
    ['\x1b[2J', 'the.box: the member \ufffd[2J has control characters in its name'],
    ['./.', 'the.box: the member ./. has no name'],
  ])('the name %j', async (name, message) => {
    expect(await refusalOf(archive(member('x', { name })))).toBe(message);
    expect(await refusalOf(archive(pax(['path', name]), member('x')))).toBe(message);
    expect(await refusalOf(archive(member(`${name}\0`, { type: 'L' }), member('x')))).toBe(message);
  });

  test('a name with NUL, and one that is longer than any path', async () => {
    expect(await refusalOf(archive(pax(['path', 'a\0b']), member('x')))).toContain('control characters');
    expect(await refusalOf(archive(member('a\0b\0', { type: 'L' }), member('x')))).toContain('control characters');
    expect(await refusalOf(archive(pax(['path', 'a'.repeat(4097)]), member('x')))).toBe(
      `the.box: the member ${'a'.repeat(100)}… has a name of more than 4096 characters`,
    );
  });

  test('a folder outside', async () => {
    expect(await refusalOf(archive(header({ name: '../out/', type: '5' })))).toContain('would be written outside');
  });

  test.each([
    ['1', 'is a hard link'],
    ['2', 'is a symbolic link'],
    ['3', 'is a device'],
    ['4', 'is a device'],
    ['6', 'is a named pipe'],
    ['M', 'is of type “M”, which vm does not know'],
  ])('type %s', async (type, what) => {
    const bytes = archive(header({ name: 'a', type, patches: { 157: '/etc/passwd' } }));
    expect(await refusalOf(bytes)).toBe(`the.box: the member a ${what}`);
  });

  test('the same file twice, however it is written', async () => {
    const bytes = archive(member('x', { name: 'a/b' }), member('y', { name: './a//b' }));
    expect(await refusalOf(bytes)).toBe('the.box: the member ./a//b is there twice');
  });

  test('more members than the limit, folders included', async () => {
    const members = Array.from({ length: 1000 }, (_, index) => header({ name: `f${index}` }));
    expect(await namesOf(archive(...members))).toHaveLength(1000);
    const folder = header({ name: 'more/', type: '5' });
    expect(await refusalOf(archive(...members, folder))).toBe('the.box: it has more than 1000 members');
    expect(await refusalOf(archive(...members), { limits: { maxMembers: 3 } })).toContain('more than 3 members');
  });

  test('more bytes than the limit, before any is read', async () => {
    const huge = archive(pax(['size', 16 * 2 ** 40 + 1]), header({}));
    expect(await refusalOf(huge)).toBe('the.box: the member file takes it over 16TiB');
    const three = archive(member('12345', { name: 'a' }), member('12345', { name: 'b' }));
    expect(await read(three, { limits: { maxBytes: 10 } })).toHaveLength(2);
    expect(await refusalOf(three, { limits: { maxBytes: 9 } })).toBe('the.box: the member b takes it over 9B');
  });

  test.each(['x', 'g', 'L', 'K'])('an extension of type %s over 1 MiB', async (type) => {
    expect(await refusalOf(archive(header({ type, sizeBytes: 2 ** 20 + 1 })))).toBe(
      'the.box is damaged: a name or an extended header has more than 1 MiB',
    );
  });

  test.each([
    ['a length beyond its end', '99 path=a\n'],
    ['a length that ends early', '6 path=abc\n'],
    ['a length of nothing', '0 path=a\n'],
    ['no length', 'path=a\n'],
    ['no keyword', '6 =ab\n'],
    ['no end of line', '9 path=ab'],
    ['no equals sign', '8 pathab\n'],
    ['something after its end', '9 path=a\n\n'],
    ['a size that is no number', '12 size=12x\n'],
  ])('an extended header with %s', async (_what, records) => {
    expect(await refusalOf(archive(member(records, { type: 'x' }), member('x')))).toBe(
      'the.box is damaged: an extended header is malformed',
    );
  });
});

describe('the end', () => {
  test('what follows it is read, so that the source can check it, and means nothing', async () => {
    let isRead = false;
    async function* source() {
      yield archive(member('x'));
      yield Buffer.from('no header');
      isRead = true;
    }
    expect(await filesOf(source())).toHaveLength(1);
    expect(isRead).toBe(true);
  });

  test('may be one zero block only', async () => {
    const bytes = archive(member('x'));
    expect(await read(bytes.subarray(0, -512))).toHaveLength(1);
    expect(await refusalOf(Buffer.concat([bytes.subarray(0, -512), member('y')]))).toBe(
      'the.box is damaged: it goes on after its end',
    );
  });

  test('is missed wherever the archive is cut before it', async () => {
    const bytes = archive(pax(['path', 'a']), member('x'.repeat(600)));
    for (const length of [0, 100, 512, 700, 1024, 1100, 1536, 1600, 2559, 2560]) {
      expect(await refusalOf(bytes.subarray(0, length))).toBe('the.box is truncated');
    }
  });
});

test('a flipped bit of a header is damage', async () => {
  const bytes = archive(member('x', { name: 'a' }), member('y', { name: 'b' }));
  bytes[1024] = 0x63;
  expect(await refusalOf(bytes)).toBe('the.box is damaged: there is no header of a tar archive at byte 1024');
});
