import { expect, test } from 'vitest';
import { inodesOfPort } from '../../../src/host/socket-table.ts';

/** Of Linux 6.12: servers on 127.0.0.1, all addresses, an IPv4 address as IPv6, `::` and `::1`; connections, one ended. */
const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   6: 0100007F:5580 0100007F:CD9C 01 00000000:00000000 00:00000000 00000000     0        0 2251371 1 000000003ce90d3b 20 0 0 10 -1
   0: 0100007F:5580 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2251364 1 00000000035f3977 100 0 0 10 0
   2: 00000000:5581 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2251365 1 00000000b2bd19fc 100 0 0 10 0
   5: 0100007F:CD9C 0100007F:5580 01 00000000:00000000 00:00000000 00000000     0        0 2251370 2 000000008c45142f 20 0 0 10 -1
   7: 0100007F:5585 0100007F:9CD8 06 00000000:00000000 03:00001770 00000000     0        0 0 3 0000000093db8537
`;
const TCP6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0000000000000000FFFF00000100007F:5583 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2251367 1 0000000027c50afe 100 0 0 10 0
   1: 00000000000000000000000000000000:5582 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2251366 1 0000000005355c46 100 0 0 10 0
   2: 00000000000000000000000001000000:5584 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 2251369 1 00000000e4cabe79 100 0 0 10 0
`;
const UDP = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 3051: 0100007F:5431 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 2251368 2 00000000e01dd5fb 0
`;

test.each([
  { what: 'a server, before its connections', hostIp: '127.0.0.1', port: 21_888, inodes: ['2251364', '2251371'] },
  { what: 'a server on all addresses', hostIp: '127.0.0.1', port: 21_889, inodes: ['2251365'] },
  { what: 'any server, for all addresses', hostIp: '0.0.0.0', port: 21_888, inodes: ['2251364', '2251371'] },
  { what: 'none on another address', hostIp: '192.168.1.2', port: 21_888, inodes: [] },
  { what: 'a server on ::, which takes IPv4', hostIp: '127.0.0.1', port: 21_890, inodes: ['2251366'] },
  { what: 'an IPv4 address written as IPv6', hostIp: '127.0.0.1', port: 21_891, inodes: ['2251367'] },
  { what: 'none that takes IPv6 only', hostIp: '127.0.0.1', port: 21_892, inodes: [] },
  { what: 'a connection that goes out from the port', hostIp: '127.0.0.1', port: 52_636, inodes: ['2251370'] },
  { what: 'none for what waits for its end', hostIp: '127.0.0.1', port: 21_893, inodes: [] },
])('$what', ({ inodes, ...wanted }) => {
  expect(inodesOfPort([TCP, TCP6], wanted)).toEqual(inodes);
});

test('UDP', () => {
  expect(inodesOfPort([UDP, ''], { hostIp: '127.0.0.1', port: 21_553 })).toEqual(['2251368']);
});

test('a host without these tables', () => {
  expect(inodesOfPort(['', ''], { hostIp: '127.0.0.1', port: 21_888 })).toEqual([]);
});
