// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Machinefiles have their own
import { describe, expect, test } from 'vitest';
import { interpolate } from '../../../../src/machinefile/reading/interpolate.ts';

const variables: Record<string, string> = { NAME: 'web', EMPTY: '', PRICE: '$5', OTHER: 'db' };
const lookup = (name: string) => variables[name];

describe('interpolate', () => {
  test.each([
    ['plain', 'plain'],
    ['', ''],
    ['$NAME', 'web'],
    ['${NAME}', 'web'],
    ['a-${NAME}-b', 'a-web-b'],
    ['$NAME-1', 'web-1'],
    ['${NAME}${OTHER}', 'webdb'],
    ['$$', '$'],
    ['$$NAME', '$NAME'],
    ['$${NAME}', '${NAME}'],
    ['$$$NAME', '$web'],
    ['${PRICE}', '$5'],
    ['${NAME:-d}', 'web'],
    ['${EMPTY:-d}', 'd'],
    ['${EMPTY-d}', ''],
    ['${UNSET:-d}', 'd'],
    ['${UNSET-d}', 'd'],
    ['${UNSET:-}', ''],
    ['${UNSET:-a b: c}', 'a b: c'],
    ['${UNSET:-${NAME}}', 'web'],
    ['${UNSET:-${GONE:-x}-${NAME}}', 'x-web'],
    ['${UNSET:-$NAME}', 'web'],
    ['${UNSET:-$$}', '$'],
    ['${UNSET:-a-b?c+d}', 'a-b?c+d'],
    ['${NAME:+x}', 'x'],
    ['${EMPTY:+x}', ''],
    ['${EMPTY+x}', 'x'],
    ['${UNSET:+x}', ''],
    ['${UNSET+x}', ''],
    ['${NAME+${OTHER}}', 'db'],
    ['${NAME:?needed}', 'web'],
    ['${EMPTY?needed}', ''],
    ['{NAME}', '{NAME}'],
  ])('%s is %j', (text, expected) => {
    expect(interpolate(text, lookup)).toEqual({ text: expected, issues: [] });
  });

  test.each([
    ['${UNSET:?give it}', '${UNSET:?give it}', 'variable “UNSET” is not set or empty: give it'],
    ['${EMPTY:?}', '${EMPTY:?}', 'variable “EMPTY” is not set or empty'],
    ['${UNSET?for ${NAME}}', '${UNSET?for ${NAME}}', 'variable “UNSET” is not set: for web'],
    ['a${', '${', '“${” has no closing “}” (write “$$” for a dollar sign)'],
    ['${NAME', '${NAME', '“${” has no closing “}” (write “$$” for a dollar sign)'],
    ['$5', '$', 'a lone “$” is not a variable (write “$$” for a dollar sign)'],
    ['100$', '$', 'a lone “$” is not a variable (write “$$” for a dollar sign)'],
    [
      '${1A}',
      '${1A}',
      '“${1A}” is not a variable (allowed: ${NAME}, ${NAME:-default}, ${NAME:?message}, ${NAME:+other}; “$$” for a dollar sign)',
    ],
    [
      '${NAME!}',
      '${NAME!}',
      '“${NAME!}” is not a variable (allowed: ${NAME}, ${NAME:-default}, ${NAME:?message}, ${NAME:+other}; “$$” for a dollar sign)',
    ],
  ])('%s is refused', (text, expression, message) => {
    expect(interpolate(text, lookup).issues).toEqual([{ severity: 'error', message, expression }]);
  });

  test('a variable that is not set is empty, with a warning', () => {
    expect(interpolate('a${UNSET}b', lookup)).toEqual({
      text: 'ab',
      issues: [
        {
          severity: 'warning',
          message:
            'variable “UNSET” is not set, so it is empty here (give it a value, or a default: ${UNSET:-default})',
          expression: '${UNSET}',
        },
      ],
    });
  });

  test('a default that is not used is not looked at', () => {
    expect(interpolate('${NAME:-${UNSET:?no}}', lookup)).toEqual({ text: 'web', issues: [] });
  });
});
