import { expect, test } from 'vitest';
import { isConnected } from '../../../../src/providers/qemu/chardevs.ts';

test.each([
  ['unix:/run/vm/1/console.sock,server=on', true],
  ['disconnected:unix:/run/vm/1/console.sock,server=on', false],
])('%s: %s', (filename, expected) => {
  const other = { label: 'compat_monitor0', filename: 'unix:/run/vm/1/qmp.sock,server=on' };
  expect(isConnected([other, { label: 'console', filename }], 'console')).toBe(expected);
});

test('what cannot be seen is not taken', () => {
  expect(isConnected(undefined, 'console')).toBe(false);
  expect(isConnected([], 'console')).toBe(false);
});
