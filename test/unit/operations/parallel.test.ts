import { expect, test } from 'vitest';
import { InterruptedError, VmError } from '../../../src/errors.ts';
import { forEachParallel, SeveralFailedError } from '../../../src/operations/parallel.ts';

const items = ['a', 'b', 'c', 'd'].map((name) => ({ name }));

test('gives results in the order of the items, with no more than the limit at a time', async () => {
  let active = 0;
  let most = 0;
  const results = await forEachParallel(items, 2, async ({ name }) => {
    active++;
    most = Math.max(most, active);
    await new Promise(setImmediate);
    active--;
    return name.toUpperCase();
  });
  expect(results).toEqual(['A', 'B', 'C', 'D']);
  expect(most).toBe(2);
});

test('one that fails does not stop the others; its own error is thrown', async () => {
  const finished: string[] = [];
  const work = forEachParallel(items, 1, async ({ name }) => {
    if (name === 'b') throw new VmError('b is bad');
    finished.push(name);
  });
  await expect(work).rejects.toThrow('b is bad');
  expect(finished).toEqual(['a', 'c', 'd']);
});

test('several failures are told together, an interruption before all of them', async () => {
  const failing = forEachParallel(items, 4, async ({ name }) => {
    throw new VmError(name);
  });
  await expect(failing).rejects.toBeInstanceOf(SeveralFailedError);
  const interrupted = forEachParallel(items, 4, async ({ name }) => {
    throw name === 'c' ? new InterruptedError() : new VmError(name);
  });
  await expect(interrupted).rejects.toBeInstanceOf(InterruptedError);
});
