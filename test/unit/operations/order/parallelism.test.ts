import { expect, test } from 'vitest';
import { fittingParallelism } from '../../../../src/operations/order/parallelism.ts';

const GIB = 2 ** 30;

test.each([
  { what: 'one for each processor', cpus: 4, freeGib: 64, gibs: [1, 1, 1, 1, 1, 1], expected: 4 },
  { what: 'two on one processor', cpus: 1, freeGib: 64, gibs: [1, 1, 1], expected: 2 },
  { what: 'as many as there are', cpus: 8, freeGib: 64, gibs: [1, 1, 1], expected: 3 },
  { what: 'as many of the largest as fit', cpus: 8, freeGib: 7, gibs: [1, 1, 4, 2, 1], expected: 3 },
  { what: 'one, even if it does not fit', cpus: 8, freeGib: 1, gibs: [2, 2], expected: 1 },
  { what: 'one where there is none', cpus: 8, freeGib: 1, gibs: [], expected: 1 },
])('$what', ({ cpus, freeGib, gibs, expected }) => {
  const machines = gibs.map((gib) => ({ memoryBytes: gib * GIB }));
  expect(fittingParallelism({ cpus, availableMemoryBytes: freeGib * GIB }, machines)).toBe(expected);
});
