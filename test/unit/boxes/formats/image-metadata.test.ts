import { expect, test } from 'vitest';
import { findSizeProblem, MAX_VIRTUAL_SIZE_BYTES } from '../../../../src/boxes/formats/image-metadata.ts';

test.each([
  [0, 'the disk in it has no size'],
  [512, undefined],
  [MAX_VIRTUAL_SIZE_BYTES, undefined],
  [MAX_VIRTUAL_SIZE_BYTES + 512, 'the disk in it is larger than 16 TiB'],
  [2 ** 64, 'the disk in it is larger than 16 TiB'],
])('a disk of %d bytes', (sizeBytes, what) => {
  expect(findSizeProblem(sizeBytes)?.what).toBe(what);
});
