import { describe, expect, test } from 'vitest';
import { inProject } from '../../load-files.ts';

describe('networks', () => {
  test.each<[string, string[]]>([
    [
      '[bckend]',
      [
        '2:30: network “bckend” is not declared under the top-level “networks” (allowed: backend, other; did you mean “backend”?)',
      ],
    ],
    ['[backend, backend]', ['2:39: machine “a” joins network “backend” twice']],
    [
      '[{ name: backend, address: 10.0.1.5 }]',
      ['2:56: 10.0.1.5 is outside 10.0.0.0/24, the subnet of network “backend”'],
    ],
    ['[{ name: backend, address: 10.0.0.0 }]', ['2:56: 10.0.0.0 is not for machines: it ends or begins 10.0.0.0/24']],
    [
      '[{ name: backend, address: 10.0.0.255 }]',
      ['2:56: 10.0.0.255 is not for machines: it ends or begins 10.0.0.0/24'],
    ],
    ['[{ name: backend, address: 10.0.0.7 }]', ['3:56: 10.0.0.7 is the address of machine “a”, at Machinefile:2']],
    ['[{ name: backend, address: 10.0.0.999 }]', ['2:56: “10.0.0.999” is not an IPv4 address (such as 10.10.10.12)']],
    [
      '[{ name: other, mac: "52:54:00:00:00:0a" }]',
      ['3:92: 52:54:00:00:00:0A is the MAC address of machine “a”, at Machinefile:2'],
    ],
    ['[default]', []],
    [
      '[{ name: other, mac: "53:54:00:00:00:01" }]',
      ['2:50: 53:54:00:00:00:01 is the address of a group (make its second digit even)'],
    ],
    ['[{ name: backend, address6: "fd00:0::7" }]', ['3:76: fd00::7 is the address of machine “a”, at Machinefile:2']],
    [
      '[{ name: other, address: 10.0.0.9 }]',
      ['2:54: 10.0.0.9 needs a subnet to be in (give network “other” the key “subnet”)'],
    ],
    [
      '[{ name: backend, address6: "fd01::7" }]',
      ['2:57: fd01::7 is outside fd00::/64, the subnet of network “backend”'],
    ],
    ['[{ name: backend, address6: "fd00:::7" }]', ['2:57: “fd00:::7” is not an address']],
  ])('%s', async (networks, problems) => {
    expect(
      await inProject(
        'machines:',
        `  a: { box: tiny, networks: ${networks} }`,
        '  b: { box: tiny, networks: [{ name: backend, address: 10.0.0.7, address6: "fd00::7", mac: "52:54:00:00:00:0A" }] }',
        'networks: { backend: { subnet: 10.0.0.0/24, subnet6: "fd00::/64" }, other: }',
      ),
    ).toEqual(problems.map((problem) => `Machinefile:${problem}`));
  });

  test('what is one machine’s cannot be that of several replicas', async () => {
    const problems = (replicas: number) =>
      inProject(
        'machines:',
        `  a: { box: tiny, replicas: ${replicas}, networks: [{ name: b, address: 10.0.0.7, mac: "52:54:00:00:00:0A", address6: "fd00::7" }] }`,
        'networks: { b: { subnet: 10.0.0.0/24, subnet6: "fd00::/64" } }',
      );
    expect(await problems(2)).toEqual([
      'Machinefile:2:63: 10.0.0.7 cannot belong to 2 replicas (leave “address” out, and each gets its own)',
      'Machinefile:2:78: 52:54:00:00:00:0A cannot belong to 2 replicas (leave “mac” out, and each gets its own)',
      'Machinefile:2:109: fd00::7 cannot belong to 2 replicas (leave “address6” out, and each gets its own)',
    ]);
    expect(await problems(1)).toEqual([]);
  });

  test('each replica needs an address', async () => {
    const problems = (replicas: number) =>
      inProject(
        `machines: { a: { box: tiny, networks: [b], replicas: ${replicas} }, c: { box: tiny, networks: [b] } }`,
        'networks: { b: { subnet: 10.0.0.0/29 } }',
      );
    expect(await problems(5)).toEqual([]);
    expect(await problems(6)).toEqual(['Machinefile:2:26: 10.0.0.0/29 has 6 addresses for 7 machines']);
  });

  test('subnets', async () => {
    expect(
      await inProject(
        'machines: { a: { box: tiny } }',
        'networks:',
        '  one: { subnet: 10.0.0.0/16 }',
        '  two: { subnet: 10.0.5.0/24 }',
        '  three: { subnet: 10.9.5.1/24 }',
        '  four: { subnet: 10.0.0.0 }',
        '  five: { subnet6: "fd00::/48", mtu: 9001 }',
        '  six: { subnet6: "fd00::1/64", mtu: 1000 }',
        '  seven: { subnet6: "fd00::/64", enable_ipv6: false }',
      ),
    ).toEqual([
      'Machinefile:4:18: 10.0.5.0/24 overlaps network “one”',
      'Machinefile:5:20: 10.9.5.1/24 is an address in a subnet (write 10.9.5.0/24)',
      'Machinefile:6:19: “10.0.0.0” is not an IPv4 subnet (such as 10.10.10.0/24)',
      'Machinefile:7:20: “fd00::/48” is not an IPv6 subnet of length 64 (such as fd00:10::/64)',
      'Machinefile:7:38: 9001 is not a number of bytes from 576 to 9000 (such as 9000)',
      'Machinefile:8:19: fd00::1/64 is an address in a subnet (write fd00::/64)',
      'Machinefile:8:38: 1000 bytes are too few for IPv6 (at least 1280)',
      'Machinefile:9:21: fd00::/64 overlaps network “six”',
      'Machinefile:9:21: “subnet6” is given, and “enable_ipv6” is false (remove one of them)',
    ]);
  });
});
