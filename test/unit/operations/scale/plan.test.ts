import { describe, expect, test } from 'vitest';
import type { ProjectSpec, ReplicaGroup } from '../../../../src/machinefile/spec.ts';
import type { Target } from '../../../../src/operations/project.ts';
import { checkScalable, isBeyond, scaleOf, surplusReplicas } from '../../../../src/operations/scale/plan.ts';
import { machineSpec } from '../../../support/machine-spec.ts';

function group(name: string, declared: number, replicas = declared): ReplicaGroup {
  return { template: machineSpec({ name }), ports: [], declared, replicas };
}

function replica(of: string, number: number, exists = true): Target {
  return { name: `${of}-${number}`, spec: undefined, replica: { of, number }, exists, isActive: true };
}

describe('what can be scaled', () => {
  const spec: ProjectSpec = {
    name: 'shop',
    projectDir: '/srv/shop',
    machines: [machineSpec({ name: 'db' }), machineSpec({ name: 'web-1', replica: { of: 'web', number: 1 } })],
    groups: [group('web', 1)],
    networks: [],
    volumes: [],
  };

  test.each([
    ['wbe', 'no machine is called wbe (allowed: web; did you mean “web”?)'],
    ['web-1', 'web-1 is a replica of web'],
    ['db', 'db has no “replicas” in the Machinefile'],
  ])('not %s', (name, message) => {
    expect(() => checkScalable(spec, new Map([[name, 2]]))).toThrow(message);
  });

  test('what has replicas', () => {
    expect(() => checkScalable(spec, new Map([['web', 0]]))).not.toThrow();
  });
});

test('remembered is what the Machinefile does not say itself', () => {
  const scale = scaleOf([group('web', 2, 3), group('db', 1), group('lb', 1, 0)]);
  expect([...scale]).toEqual([
    ['web', { declared: 2, replicas: 3 }],
    ['lb', { declared: 1, replicas: 0 }],
  ]);
});

test('surplus are those that exist beyond the number, from the top', () => {
  const targets = [
    ...[1, 2, 3, 10].map((number) => replica('web', number)),
    replica('web', 11, false),
    replica('db', 1),
    { ...replica('web', 12), name: 'web-12', replica: undefined },
  ];
  const surplus = (...wanted: [string, number][]) => surplusReplicas(targets, new Map(wanted)).map(({ name }) => name);
  expect(surplus(['web', 1])).toEqual(['web-10', 'web-3', 'web-2']);
  expect(surplus(['db', 0], ['web', 3])).toEqual(['db-1', 'web-10']);
  expect(surplus(['web', 10])).toEqual([]);
  expect(surplusReplicas(targets, new Map([['web', 3]]))).toEqual([{ name: 'web-10', of: 'web', wanted: 3 }]);
});

test.each([
  ['web-4', true],
  ['web-3', false],
  ['web-x', false],
  ['db-1', true],
  ['web', false],
  ['lb-9', false],
])('whether %s is beyond the numbers: %s', (name, expected) => {
  const wanted = new Map([
    ['web', 3],
    ['db', 0],
  ]);
  expect(isBeyond(name, wanted)).toBe(expected);
});
