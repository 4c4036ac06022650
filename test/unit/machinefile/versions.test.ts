import { describe, expect, test } from 'vitest';
import { compareVersions, isVersion, parseConstraint, satisfies } from '../../../src/machinefile/versions.ts';
import rubyGems from '../../fixtures/version-constraints.json' with { type: 'json' };

describe('as RubyGems computed', () => {
  test('versions are ordered', () => {
    // RubyGems' own sort is not stable: what is equal may stand in any order.
    const sorted = [...rubyGems.versions_input].sort(compareVersions);
    expect(sorted).toHaveLength(rubyGems.sorted_ascending.length);
    rubyGems.sorted_ascending.forEach((expected, i) => {
      expect(compareVersions(sorted[i] ?? '', expected), `${sorted[i]} at the place of ${expected}`).toBe(0);
    });
  });

  test.each(rubyGems.cases)('“$constraint” matches', ({ constraint, match }) => {
    const parsed = parseConstraint(constraint);
    if (parsed === undefined) throw new Error(`${constraint} was not understood`);
    expect(rubyGems.versions_input.filter((version) => satisfies(version, parsed))).toEqual(match);
  });

  test.each(Object.entries(rubyGems.version_valid))('“%s” as a version: %s', (text, isValid) => {
    expect(isVersion(text)).toBe(isValid);
  });

  test.each(Object.entries(rubyGems.requirement_valid))('“%s” as a requirement: %s', (text, isValid) => {
    expect(parseConstraint(text) !== undefined).toBe(isValid);
  });
});

describe('compareVersions', () => {
  test.each([
    ['1.0.a', '1.a', 0],
    ['1.0', '1', 0],
    ['', '0', 0],
    [' 1.2 ', '1.2', 0],
    ['1.a10', '1.a9', 1],
    ['1.0.b', '1.0.a', 1],
    ['1.0-1', '1.0', -1],
    ['0.a', '0', -1],
    ['20240101120000999999', '20240101120000999998', 1],
  ])('%s and %s: %d', (a, b, expected) => {
    expect(compareVersions(a, b)).toBe(expected);
    expect(compareVersions(b, a)).toBe(0 - expected);
  });
});

describe('parseConstraint', () => {
  test('keeps what was written, and the requirements in their order', () => {
    expect(parseConstraint(' >=1.2 ,  < 2,3')).toEqual({
      text: '>=1.2 ,  < 2,3',
      requirements: [
        { operator: '>=', version: '1.2' },
        { operator: '<', version: '2' },
        { operator: '=', version: '3' },
      ],
    });
  });

  test.each(['', '  '])('nothing (“%s”) means any version', (text) => {
    expect(parseConstraint(text)).toEqual({ text: '>= 0', requirements: [{ operator: '>=', version: '0' }] });
  });

  test.each(['>= 1,', ',', '>> 1', '== 1', '~ 1', '1 2'])('“%s” is malformed', (text) => {
    expect(parseConstraint(text)).toBeUndefined();
  });
});

describe('satisfies', () => {
  test.each([
    ['~> 0', '0.9', true],
    ['~> 0', '1', false],
    ['~> 1.2.pre', '1.9', true],
    ['~> 1.2', '2.0.pre', false],
  ])('%s: %s is %s', (text, version, expected) => {
    const constraint = parseConstraint(text);
    expect(constraint && satisfies(version, constraint)).toBe(expected);
  });
});
