import { describe, expect, test } from 'vitest';
import { inProject } from '../../load-files.ts';

describe('primary', () => {
  test('two', async () => {
    expect(
      await inProject('machines:', '  a: { box: tiny, primary: true }', '  b: { box: tiny, primary: true }'),
    ).toEqual(['Machinefile:3:28: only one machine can be primary, and “a” is it already']);
  });
});
