import { expect, test } from 'vitest';
import { multicastSegment, netdevArgument, vdeSegment } from '../../../src/networks/segment.ts';

test.each([
  ['000000000000', '239.0.0.0:10000'],
  ['ffffffffffff', '239.63.255.255:15535'],
  ['c0a80102ffee', '239.0.168.1:10767'],
])('the multicast segment of %s', (id, group) => {
  expect(netdevArgument(id, multicastSegment(id))).toBe(`socket,id=net-${id},mcast=${group},localaddr=127.0.0.1`);
});

test('a switch is a folder among the sockets', () => {
  expect(netdevArgument('abc', vdeSegment('abc', '/run/user/1000/vm'))).toBe(
    'vde,id=net-abc,sock=/run/user/1000/vm/net-abc',
  );
});
