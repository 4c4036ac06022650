import { describe, expect, test } from 'vitest';
import type { OpenPort } from '../../../../src/machine/forwards.ts';
import { stepsOf } from '../../../../src/providers/qemu/forwards.ts';
import { forwardRule, hostRule, parseForwards, takenAddress } from '../../../../src/providers/qemu/hostfwd.ts';

const web: OpenPort = { hostIp: '127.0.0.1', host: 8080, guest: 80, protocol: 'tcp' };

describe('info usernet', () => {
  test('of QEMU 7.2: addresses, all of them, UDP, a connection that goes through', () => {
    const text =
      'Hub -1 (user):\r\n' +
      '  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\r\n' +
      '  TCP[ESTABLISHED]   24       127.0.0.1 21122       10.0.2.15    22     0     0\r\n' +
      '  TCP[HOST_FORWARD]  16       127.0.0.1    80       10.0.2.15    80     0     0\r\n' +
      '  TCP[HOST_FORWARD]  15               * 21083       10.0.2.15    81     0     0\r\n' +
      '  UDP[HOST_FORWARD]   8               * 21553       10.0.2.15    53     0     0\r\n' +
      '  UDP[236 sec]       27       10.0.2.15 52711        10.0.2.3    53     0     0\r\n';
    expect(parseForwards(text)).toEqual([
      { hostIp: '127.0.0.1', host: 80, guest: 80, protocol: 'tcp' },
      { hostIp: '0.0.0.0', host: 21_083, guest: 81, protocol: 'tcp' },
      { hostIp: '0.0.0.0', host: 21_553, guest: 53, protocol: 'udp' },
    ]);
  });

  test('of several networks only ours', () => {
    const text =
      'Hub -1 (lab):\n  TCP[HOST_FORWARD]  16  127.0.0.1  81  10.0.2.15  81  0  0\n' +
      'Hub -1 (user):\n  TCP[HOST_FORWARD]  17  127.0.0.1  82  10.0.2.15  82  0  0\n';
    expect(parseForwards(text).map(({ host }) => host)).toEqual([82]);
  });

  test('of a machine without forwards', () => {
    expect(parseForwards('Hub -1 (user):\r\n  Protocol[State]    FD  Source Address  Port\r\n')).toEqual([]);
    expect(parseForwards('')).toEqual([]);
  });
});

test('rules', () => {
  expect(forwardRule(web)).toBe('tcp:127.0.0.1:8080-:80');
  expect(hostRule({ ...web, protocol: 'udp' })).toBe('udp:127.0.0.1:8080');
});

test.each([
  ["Could not set up host forwarding rule 'tcp:127.0.0.1:8080-:80'\r\n", ['tcp', '127.0.0.1', 8080]],
  ["could not set up host forwarding rule 'udp::53-:5353'", ['udp', '0.0.0.0', 53]],
])('QEMU says what it could not listen on: %s', (words, [protocol, hostIp, port]) => {
  expect(takenAddress(words)).toEqual({ protocol, hostIp, port });
});

test.each(["unrecognized netdev id 'user'", "Invalid host forwarding rule 'tcp:127.0.0.1:1-:0' (Bad guest port)", ''])(
  'other words are of nothing taken: %s',
  (words) => {
    expect(takenAddress(words)).toBeUndefined();
  },
);

test('what can fail goes first, after what is in its way', () => {
  const elsewhere = { ...web, guest: 81 };
  const gone = { ...web, host: 9090 };
  const overlapping = { ...web, hostIp: '0.0.0.0', host: 7070 };
  const steps = stepsOf({ removed: [gone, web, overlapping], added: [elsewhere, { ...web, host: 7070 }] });
  expect(steps.map(({ kind, port }) => `${kind} ${forwardRule(port)}`)).toEqual([
    'remove tcp:127.0.0.1:8080-:80',
    'remove tcp:0.0.0.0:7070-:80',
    'add tcp:127.0.0.1:8080-:81',
    'add tcp:127.0.0.1:7070-:80',
    'remove tcp:127.0.0.1:9090-:80',
  ]);
});
