import { expect, test } from 'vitest';
import {
  findSizeProblem,
  MAX_VIRTUAL_SIZE_BYTES,
  printableName,
} from '../../../../src/boxes/formats/image-metadata.ts';

test.each([
  [0, 'the disk in it has no size'],
  [512, undefined],
  [MAX_VIRTUAL_SIZE_BYTES, undefined],
  [MAX_VIRTUAL_SIZE_BYTES + 512, 'the disk in it is larger than 16 TiB'],
  [2 ** 64, 'the disk in it is larger than 16 TiB'],
])('a disk of %d bytes', (sizeBytes, what) => {
  expect(findSizeProblem(sizeBytes)?.what).toBe(what);
});

test('a name out of an image is shown without what a terminal would obey, and not without end', () => {
  expect(printableName('/srv/größe 1.img')).toBe('/srv/größe 1.img');
  expect(printableName('a\x1b[2J\r\nb\x9b')).toBe('a?[2J??b?');
  expect(printableName('x'.repeat(5000))).toHaveLength(1023);
});
