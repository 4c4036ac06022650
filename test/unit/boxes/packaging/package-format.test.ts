import { expect, test } from 'vitest';
import { formatOfName } from '../../../../src/boxes/packaging/package-format.ts';

test.each([
  ['web.box', 'box'],
  ['/srv/WEB.OVA', 'ova'],
  ['a.b.qcow2', 'qcow2'],
  ['disk.img', 'raw'],
  ['disk.raw', 'raw'],
  ['disk', undefined],
  ['disk.iso', undefined],
  ['disk.vhd', undefined],
])('%s is %s', (name, format) => {
  expect(formatOfName(name)).toBe(format);
});
