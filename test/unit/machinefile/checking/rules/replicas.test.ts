import { describe, expect, test } from 'vitest';
import { machinefile, problemsOf } from '../../load-files.ts';

const LONG = 'a'.repeat(61);

describe('names of replicas', () => {
  test.each<[string, string[], string[]]>([
    [
      'of another machine',
      ['web: { replicas: 2 }', 'web-2: {}'],
      ['4:3: “web-2” is the name of a replica of machine “web”, at Machinefile:3 (give one of them another name)'],
    ],
    [
      'of another group',
      ['web-1: { replicas: 1 }', 'web: { replicas: 1 }'],
      ['3:3: “web-1” is the name of a replica of machine “web”, at Machinefile:4 (give one of them another name)'],
    ],
    [
      'of nobody else',
      ['web: { replicas: 2 }', 'web-3: {}', 'web-01: {}', 'web-x: {}', 'db: { replicas: 0 }', 'db-1: {}'],
      [],
    ],
    ['without replicas', ['web: {}', 'web-1: {}'], []],
    [
      'too long',
      [`${LONG}: { replicas: 9 }`, `b${LONG}: { replicas: 10 }`],
      [`4:3: “b${LONG}-10” is too long for a name (at most 63 characters)`],
    ],
    [
      'too long for a host',
      [`web: { replicas: 9, hostname: ${LONG}.example }`, `db: { replicas: 10, hostname: ${LONG}.example }`],
      [`4:33: “${LONG}-10” is too long for a host name (at most 63 characters before the first dot)`],
    ],
  ])('%s', async (_, machines, problems) => {
    const text = ['defaults: { box: tiny }', 'machines:', ...machines.map((line) => `  ${line}`)].join('\n');
    expect(await problemsOf(text)).toEqual(problems.map((problem) => `Machinefile:${problem}`));
  });
});

test('the number that counts is that of vm scale', async () => {
  const countReplicas = () => 3;
  expect(await problemsOf(machinefile('box: tiny\nreplicas: 2\nports: ["8080-8081:80"]'), { countReplicas })).toEqual([
    'Machinefile:5:13: 2 host ports are not enough for 3 replicas (give a range of at least 3, or leave the host port out)',
  ]);
});
