import { expect, test } from 'vitest';
import { parseWanted } from '../../../src/cli/commands/scale.ts';

test('machines and numbers', () => {
  expect([...parseWanted(['web=3', 'db-x=0'])]).toEqual([
    ['web', 3],
    ['db-x', 0],
  ]);
});

test.each([
  [['web'], '“web” is not a machine and a number'],
  [['web='], '“web=” is not a machine and a number'],
  [['web=-1'], '“web=-1” is not a machine and a number'],
  [['=3'], '“=3” is not a machine and a number'],
  [['web=1001'], '1001 replicas are too many (at most 1000)'],
  [['web=1', 'web=1'], 'web is given twice'],
])('%j is refused', (args, message) => {
  expect(() => parseWanted(args)).toThrow(message);
});
