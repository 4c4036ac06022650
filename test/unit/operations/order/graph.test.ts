import { describe, expect, test } from 'vitest';
import type { DependencyCondition } from '../../../../src/machinefile/spec.ts';
import {
  inReverse,
  neededHealthy,
  type Ordered,
  type Standing,
  turnOf,
  withDependencies,
} from '../../../../src/operations/order/graph.ts';

function machine(name: string, dependsOn: Readonly<Record<string, DependencyCondition>> = {}): Ordered {
  return { name, dependsOn: Object.entries(dependsOn).map(([other, condition]) => ({ name: other, condition })) };
}

describe('turnOf', () => {
  const begun = (reached?: DependencyCondition): Standing => ({ kind: 'begun', reached });
  const failed = (reached?: DependencyCondition): Standing => ({ kind: 'failed', reached });

  test.each<[DependencyCondition, Standing, string]>([
    ['started', { kind: 'waiting' }, 'wait'],
    ['started', begun(), 'wait'],
    ['started', begun('started'), 'begin'],
    ['started', begun('provisioned'), 'begin'],
    ['provisioned', begun('started'), 'wait'],
    ['provisioned', begun('provisioned'), 'begin'],
    ['healthy', begun('provisioned'), 'wait'],
    ['healthy', begun('healthy'), 'begin'],
    ['healthy', { kind: 'done' }, 'begin'],
    ['started', failed(), 'skipped'],
    ['started', failed('started'), 'begin'],
    ['healthy', failed('provisioned'), 'skipped'],
    ['started', { kind: 'skipped', because: 'disk' }, 'skipped'],
  ])('needs db %s, which is %j: %s', (condition, standing, kind) => {
    expect(turnOf(machine('web', { db: condition }), new Map([['db', standing]])).kind).toBe(kind);
  });

  test('needs nothing, or what was left out', () => {
    expect(turnOf(machine('web'), new Map())).toEqual({ kind: 'begin' });
    expect(turnOf(machine('web', { db: 'healthy' }), new Map())).toEqual({ kind: 'begin' });
  });

  test('is skipped for the one that failed, however far away, without waiting for the others', () => {
    const standings = new Map<string, Standing>([
      ['cache', { kind: 'waiting' }],
      ['db', { kind: 'skipped', because: 'disk' }],
    ]);
    const turn = turnOf(machine('web', { cache: 'started', db: 'started' }), standings);
    expect(turn).toEqual({ kind: 'skipped', because: 'disk' });
    expect(turnOf(machine('web', { db: 'started' }), new Map([['db', failed()]]))).toEqual({
      kind: 'skipped',
      because: 'db',
    });
  });
});

const shop = [
  machine('lb', { web: 'started' }),
  machine('web', { db: 'healthy', cache: 'started' }),
  machine('db'),
  machine('cache'),
  machine('mail'),
];

test.each([
  [['lb', 'web', 'db', 'cache', 'mail'], 'db cache web lb mail'],
  [['web'], 'db cache web'],
  [['mail', 'db'], 'db mail'],
  [[], ''],
])('%j and what they depend on, in order', (names, expected) => {
  const sorted = withDependencies(shop, new Set(names));
  expect(sorted.map(({ name }) => name).join(' ')).toBe(expected);
});

test('in reverse each waits for those that depend on it', () => {
  const names = inReverse(shop).map(({ name, dependsOn }) => `${name}: ${dependsOn.map((other) => other.name)}`);
  expect(names).toEqual(['lb: ', 'web: lb', 'db: web', 'cache: web', 'mail: ']);
});

test('only what is needed healthy is waited for', () => {
  expect([...neededHealthy(shop)]).toEqual(['db']);
});
