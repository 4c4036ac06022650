import { expect, test } from 'vitest';
import { readHead } from '../../../../src/boxes/importing/head.ts';

/** A stream of these texts that tells what was read of it, and when it was ended. */
function stream(...texts: string[]) {
  const log: string[] = [];
  async function* pieces() {
    try {
      for (const text of texts) {
        log.push(text);
        yield Buffer.from(text);
      }
    } finally {
      log.push('ended');
    }
  }
  return { log, source: pieces() };
}

async function read(whole: AsyncIterable<Uint8Array>): Promise<string[]> {
  const pieces: string[] = [];
  for await (const piece of whole) pieces.push(Buffer.from(piece).toString());
  return pieces;
}

test.each([
  ['inside of the first piece', 2, ['abc'], 'abc'],
  ['at the end of a piece', 3, ['abc'], 'abc'],
  ['behind the end of a piece', 4, ['abc', 'def'], 'abcdef'],
  ['behind the end of the stream', 99, ['abc', 'def', 'ghi', 'ended'], 'abcdefghi'],
  ['nowhere', 0, [], ''],
])('a beginning that ends %s', async (_where, bytes, seen, beginning) => {
  const { log, source } = stream('abc', 'def', 'ghi');
  const head = await readHead(source, bytes);
  expect(head.beginning.toString()).toBe(beginning);
  expect(log).toEqual(seen);
  expect(await read(head.whole)).toEqual(['abc', 'def', 'ghi']);
  expect(log).toEqual(['abc', 'def', 'ghi', 'ended']);
});

test('of an empty stream', async () => {
  const head = await readHead(stream().source, 5);
  expect(head.beginning).toHaveLength(0);
  expect(await read(head.whole)).toEqual([]);
});

test.each([1, 2])('who stops after %i pieces ends the stream', async (count) => {
  const { log, source } = stream('abc', 'def', 'ghi');
  const { whole } = await readHead(source, 1);
  let read = 0;
  for await (const _piece of whole) if (++read === count) break;
  expect(log).toEqual([...['abc', 'def'].slice(0, count), 'ended']);
});

test('what the stream throws comes at its place', async () => {
  async function* failing() {
    yield Buffer.from('abc');
    throw new Error('broken');
  }
  const { beginning, whole } = await readHead(failing(), 1);
  expect(beginning.toString()).toBe('abc');
  await expect(read(whole)).rejects.toThrow('broken');
  await expect(readHead(failing(), 4)).rejects.toThrow('broken');
});
