import { expect, test } from 'vitest';
import {
  asDeclared,
  replicaCounter,
  replicaHostname,
  replicaNames,
  replicaNumber,
} from '../../../src/machinefile/replicas.ts';

test('names count from 1', () => {
  expect(replicaNames('web', 3)).toEqual(['web-1', 'web-2', 'web-3']);
  expect(replicaNames('web', 0)).toEqual([]);
});

test.each([
  ['web', 'web-2'],
  ['app.example.org', 'app-2.example.org'],
])('the host name %s becomes %s', (hostname, expected) => {
  expect(replicaHostname(hostname, 2)).toBe(expected);
});

test.each([
  ['web-2', 2],
  ['web-10', 10],
  ['web-0', undefined],
  ['web-02', undefined],
  ['web-x', undefined],
  ['web-1-2', undefined],
  ['web', undefined],
  ['db-2', undefined],
])('%s as a replica of web: %s', (name, number) => {
  expect(replicaNumber(name, 'web')).toBe(number);
});

test.each([
  ['as declared', 'web', 2, 2],
  ['as scaled since', 'db', 1, 4],
  ['edited since it was scaled', 'db', 2, 2],
  ['wanted now, whatever was', 'lb', 1, 0],
])('how many: %s', (_, machine, declared, expected) => {
  const scaled = { replicas: 4, declared: 1 };
  const scale = new Map([
    ['db', scaled],
    ['lb', scaled],
  ]);
  expect(replicaCounter(scale, new Map([['lb', 0]]))(machine, declared)).toBe(expected);
  expect(asDeclared(machine, declared)).toBe(declared);
});
