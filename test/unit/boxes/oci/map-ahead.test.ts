import { expect, test } from 'vitest';
import { mapAhead } from '../../../../src/boxes/oci/map-ahead.ts';

/** Work that ends when it is told to. */
function openWork() {
  const begun: string[] = [];
  const ends = new Map<string, { resolve: (result: string) => void; reject: (error: Error) => void }>();
  const work = (item: string) => {
    begun.push(item);
    return new Promise<string>((resolve, reject) => {
      ends.set(item, { resolve, reject });
    });
  };
  return {
    work,
    begun,
    end: (item: string) => ends.get(item)?.resolve(item.toUpperCase()),
    fail: (item: string) => ends.get(item)?.reject(new Error(`${item} failed`)),
  };
}

test('gives the results in the order of the items, however the work ends', async () => {
  const { work, begun, end } = openWork();
  const results = mapAhead(['a', 'b', 'c'], 2, work);
  const first = results.next();
  await expect.poll(() => begun).toEqual(['a', 'b']);
  end('b');
  end('a');
  expect(await first).toEqual({ done: false, value: 'A' });
  const second = results.next();
  await expect.poll(() => begun).toEqual(['a', 'b', 'c']);
  expect(await second).toEqual({ done: false, value: 'B' });
  end('c');
  expect(await results.next()).toEqual({ done: false, value: 'C' });
  expect(await results.next()).toEqual({ done: true, value: undefined });
});

test('after a failure nothing is begun, and what was has ended', async () => {
  const { work, begun, end, fail } = openWork();
  let hasEnded = false;
  const failure = mapAhead(['a', 'b', 'c'], 2, work)
    .next()
    .catch((error: unknown) => error)
    .finally(() => {
      hasEnded = true;
    });
  await expect.poll(() => begun).toEqual(['a', 'b']);
  fail('a');
  await new Promise(setImmediate);
  expect(hasEnded).toBe(false);
  end('b');
  expect(await failure).toMatchObject({ message: 'a failed' });
  expect(begun).toEqual(['a', 'b']);
});

test('a failure that nobody waits for yet does no harm', async () => {
  const { work, begun, end, fail } = openWork();
  const results = mapAhead(['a', 'b'], 2, work);
  const first = results.next();
  await expect.poll(() => begun).toEqual(['a', 'b']);
  fail('b');
  await new Promise(setImmediate);
  end('a');
  expect(await first).toEqual({ done: false, value: 'A' });
  await expect(results.next()).rejects.toThrow('b failed');
});

test('what the items throw is thrown once the work has ended', async () => {
  async function* items() {
    yield 'a';
    throw new Error('no more');
  }
  const { work, begun, end } = openWork();
  const failure = mapAhead(items(), 2, work).next();
  await expect.poll(() => begun).toEqual(['a']);
  end('a');
  await expect(failure).rejects.toThrow('no more');
});
