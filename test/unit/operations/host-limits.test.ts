import { expect, test } from 'vitest';
import { memoryWarning } from '../../../src/operations/up/host-limits.ts';

const GIB = 1024 ** 3;
const host = { availableMemoryBytes: 6 * GIB, totalMemoryBytes: 8 * GIB };
const machine = (name: string, gib: number) => ({ name, memoryBytes: gib * GIB });

test('what fits is not spoken of', () => {
  expect(memoryWarning([], host)).toBeUndefined();
  expect(memoryWarning([machine('a', 2), machine('b', 4)], host)).toBeUndefined();
});

test.each<[ReturnType<typeof machine>[], string]>([
  [[machine('a', 7)], 'a asks for 7.0 GiB of memory; this host has 6.0 GiB available of 8.0 GiB'],
  [[machine('a', 2), machine('b', 4.5)], 'a, b ask together for 6.5 GiB of memory; this host has 6.0 GiB available'],
])('%j', (machines, warning) => {
  expect(memoryWarning(machines, host)).toContain(warning);
});
