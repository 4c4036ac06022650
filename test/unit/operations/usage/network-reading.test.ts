import { expect, test } from 'vitest';
import { parseGuestNetwork } from '../../../../src/operations/usage/network-reading.ts';

const BOOT = 'c7c571f7-04ba-49ec-82eb-c9811498cb91';
const HEADER = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed`;

const line = (name: string, inBytes: number, outBytes: number) =>
  `${name.padStart(6)}: ${inBytes}      66    0    0    0     0          0         0     ${outBytes}      57    0    0    0     0       0          0`;

test('cards are counted; loopback, bridges and tunnels are not', () => {
  const answer = [
    BOOT,
    '/sys/class/net/eth0/device',
    '/sys/class/net/enp0s3.5/device',
    HEADER,
    line('lo', 4_000, 4_000),
    line('eth0', 7_203, 5_962),
    line('enp0s3.5', 100, 1),
    line('docker0', 7_000, 5_000),
    '',
  ].join('\n');
  expect(parseGuestNetwork(answer)).toEqual({ guestBootId: BOOT, traffic: { inBytes: 7_303, outBytes: 5_963 } });
});

test('a counter that stands at the colon, as old kernels print it', () => {
  const answer = `${BOOT}\n/sys/class/net/eth0/device\n${HEADER}\n  eth0:18446744 1 0 0 0 0 0 0 12 1 0 0 0 0 0 0\n`;
  expect(parseGuestNetwork(answer)?.traffic).toEqual({ inBytes: 18_446_744, outBytes: 12 });
});

test('a guest without a card', () => {
  expect(parseGuestNetwork(`${BOOT}\n${HEADER}\n${line('lo', 1, 1)}\n`)?.traffic).toEqual({ inBytes: 0, outBytes: 0 });
});

test.each([
  '',
  'hello from the guest\n',
  `${BOOT.toUpperCase()}\n`,
  `${BOOT}\n/sys/class/net/eth0/device\n${line('eth0', 2 ** 60, 0)}`,
])('a guest that answers something else: %j', (answer) => {
  expect(parseGuestNetwork(answer)).toBeUndefined();
});
