import { expect, test } from 'vitest';
import { diffForwards, forwardText, isUnchanged, type OpenPort } from '../../../src/machine/forwards.ts';

const web: OpenPort = { hostIp: '127.0.0.1', host: 8080, guest: 80, protocol: 'tcp' };

test('only what differs is closed and opened', () => {
  const dns: OpenPort = { hostIp: '0.0.0.0', host: 5353, guest: 53, protocol: 'udp' };
  expect(diffForwards([web, dns], [web, { ...dns, guest: 54 }])).toEqual({
    removed: [dns],
    added: [{ ...dns, guest: 54 }],
  });
});

test.each([
  ['in another order', [web, { ...web, host: 81 }], [{ ...web, host: 81 }, web], true],
  ['of another origin', [web], [{ ...web, addedAs: 'given' }], true],
  ['of another protocol', [web], [{ ...web, protocol: 'udp' }], false],
  ['on another address', [web], [{ ...web, hostIp: '0.0.0.0' }], false],
  ['one less', [web], [], false],
] as const)('%s', (_, actual, wanted, same) => {
  expect(isUnchanged(diffForwards(actual, wanted))).toBe(same);
});

test('in words', () => {
  expect(forwardText(web)).toBe('127.0.0.1:8080 → 80');
  expect(forwardText({ ...web, protocol: 'udp' })).toBe('127.0.0.1:8080 → 80/udp');
});
