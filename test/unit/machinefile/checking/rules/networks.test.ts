import { describe, expect, test } from 'vitest';
import { inProject } from '../../load-files.ts';

describe('networks', () => {
  const unbuilt = /is not built yet/;
  const check = async (...lines: string[]) => (await inProject(...lines)).filter((problem) => !unbuilt.test(problem));

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
      ['3:71: 52:54:00:00:00:0A is the MAC address of machine “a”, at Machinefile:2'],
    ],
    ['[default]', []],
  ])('%s', async (networks, problems) => {
    expect(
      await check(
        'machines:',
        `  a: { box: tiny, networks: ${networks} }`,
        '  b: { box: tiny, networks: [{ name: backend, address: 10.0.0.7, mac: "52:54:00:00:00:0A" }] }',
        'networks: { backend: { subnet: 10.0.0.0/24 }, other: }',
      ),
    ).toEqual(problems.map((problem) => `Machinefile:${problem}`));
  });

  test('subnets', async () => {
    expect(
      await check(
        'machines: { a: { box: tiny } }',
        'networks:',
        '  one: { subnet: 10.0.0.0/16 }',
        '  two: { subnet: 10.0.5.0/24 }',
        '  three: { subnet: 10.9.5.1/24 }',
        '  four: { subnet: 10.0.0.0 }',
      ),
    ).toEqual([
      'Machinefile:4:18: 10.0.5.0/24 overlaps network “one”',
      'Machinefile:5:20: 10.9.5.1/24 is an address in a subnet (write 10.9.5.0/24)',
      'Machinefile:6:19: “10.0.0.0” is not an IPv4 subnet (such as 10.10.10.0/24)',
    ]);
  });
});
