import { expect, test } from 'vitest';
import { printableName } from '../../../../src/boxes/archives/member-name.ts';

test('a name out of an image or an archive is shown without what a terminal would obey, and not without end', () => {
  expect(printableName('/srv/größe 1.img')).toBe('/srv/größe 1.img');
  expect(printableName('a\x1b[2J\r\nb\x9b')).toBe('a\ufffd[2J\ufffd\ufffdb\ufffd');
  expect(printableName('x'.repeat(5000))).toBe(`${'x'.repeat(100)}…`);
});
