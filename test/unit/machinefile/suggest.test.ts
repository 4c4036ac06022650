import { expect, test } from 'vitest';
import { alternatives, suggest } from '../../../src/machinefile/suggest.ts';

const keys = ['box', 'cpus', 'cpu', 'memory', 'ports', 'provision', 'provider', 'environment'];

test.each([
  ['memmory', 'memory'],
  ['mmeory', 'memory'],
  ['cpsu', 'cpus'],
  ['Ports', 'ports'],
  ['provison', 'provision'],
  ['image', 'box'],
  ['env', 'environment'],
  ['ram', 'memory'],
  ['zebra', undefined],
  ['x', undefined],
  ['constructor', undefined],
])('%s: %s', (word, expected) => {
  expect(suggest(word, keys)).toBe(expected);
});

test('a short list is shown, with the suggestion', () => {
  expect(alternatives('ba', ['a', 'b'])).toBe(' (allowed: a, b; did you mean “a”?)');
  expect(alternatives('zebra', ['a', 'b'])).toBe(' (allowed: a, b)');
  expect(alternatives('zebra', [])).toBe(' (allowed: none)');
});

test('a long list is shown only without a suggestion', () => {
  const long = Array.from({ length: 11 }, (_, index) => `key${index}`);
  expect(alternatives('kye1', long)).toBe(' (did you mean “key1”?)');
  expect(alternatives('zebra', long)).toContain('key10');
});
