import { describe, expect, test } from 'vitest';
import type { Target } from '../../../src/operations/project.ts';
import { isNamed, selectOne, selectTargets } from '../../../src/operations/select-targets.ts';
import { machineSpec } from '../../support/machine-spec.ts';

function target(name: string, primary = false, rest: Partial<Target> = {}): Target {
  return { name, spec: machineSpec({ name, primary }), replica: undefined, exists: false, isActive: true, ...rest };
}

const targets = [target('db'), target('web-1'), target('web-2'), target('a.b')];

test.each([
  ['none: all of them', [], ['db', 'web-1', 'web-2', 'a.b']],
  ['a name', ['db'], ['db']],
  ['a glob', ['web-*'], ['web-1', 'web-2']],
  ['one character', ['web-?'], ['web-1', 'web-2']],
  ['a dot is a dot', ['a.b'], ['a.b']],
  ['the order of the file, each once', ['web-1', 'db', 'web-*'], ['db', 'web-1', 'web-2']],
])('patterns: %s', (_what, patterns, expected) => {
  expect(selectTargets(targets, patterns).map(({ name }) => name)).toEqual(expected);
});

test('a pattern that matches nothing lists what there is', () => {
  expect(() => selectTargets(targets, ['db', 'nope'])).toThrow('no machine is called nope');
});

test('one machine: named, or primary, or the only one', () => {
  expect(selectOne(targets, 'db').name).toBe('db');
  expect(selectOne([target('a'), target('b', true)], undefined).name).toBe('b');
  expect(selectOne([target('a')], undefined).name).toBe('a');
  expect(() => selectOne(targets, undefined)).toThrow('which machine? db, web-1');
  expect(() => selectOne([], undefined)).toThrow('no machines');
});

test('of inactive profiles: those that exist, and those that are named', () => {
  const some = [
    target('web'),
    target('debug', true, { isActive: false }),
    target('old', false, { isActive: false, exists: true }),
  ];
  expect(selectTargets(some, []).map(({ name }) => name)).toEqual(['web', 'old']);
  expect(selectTargets(some, ['*']).map(({ name }) => name)).toEqual(['web', 'old']);
  expect(selectTargets(some, ['web', 'debug']).map(({ name }) => name)).toEqual(['web', 'debug']);
  expect(() => selectTargets(some, ['d*'])).toThrow('no machine is called d*');
  expect(selectOne(some, 'debug').name).toBe('debug');
  expect(() => selectOne(some, undefined)).toThrow('which machine? web, old');
});

describe('replicas', () => {
  const replica = (of: string, number: number, rest: Partial<Target> = {}) =>
    target(`${of}-${number}`, number === 1, { replica: { of, number }, ...rest });
  const some = [
    target('db'),
    replica('web', 1),
    replica('web', 2),
    replica('web', 3, { spec: undefined, exists: true }),
  ];

  test.each([
    ['the name in the Machinefile means all of them', ['web'], ['web-1', 'web-2', 'web-3']],
    ['one', ['web-2'], ['web-2']],
    ['a glob is about their own names', ['*-?'], ['web-1', 'web-2', 'web-3']],
    ['a group without any', ['lb'], []],
    ['a group without any, and a machine', ['lb', 'db'], ['db']],
  ])('%s', (_what, patterns, expected) => {
    expect(selectTargets(some, patterns, ['web', 'lb']).map(({ name }) => name)).toEqual(expected);
  });

  test('for one machine the name means the only one', () => {
    expect(selectOne([target('db'), replica('web', 1)], 'web', ['web']).name).toBe('web-1');
    expect(() => selectOne(some, 'web', ['web'])).toThrow('which machine? web-1, web-2, web-3');
    expect(() => selectOne(some, 'lb', ['web', 'lb'])).toThrow('lb has no replicas');
    expect(() => selectOne([], undefined, ['lb'])).toThrow('lb has no replicas');
    expect(selectOne(some, undefined, ['web']).name).toBe('web-1');
  });

  test('they take part where all of them are named, as they do where one is', () => {
    const inactive = [replica('web', 1, { isActive: false }), replica('web', 2, { isActive: false })];
    expect(selectTargets(inactive, ['web']).map(({ name }) => name)).toEqual(['web-1', 'web-2']);
    expect(selectTargets(inactive, [])).toEqual([]);
    expect(isNamed(replica('web', 1), ['web'])).toBe(true);
    expect(isNamed(replica('web', 1), ['web-*'])).toBe(false);
  });
});
