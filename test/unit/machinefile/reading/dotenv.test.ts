// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Machinefiles have their own
import { describe, expect, test } from 'vitest';
import { parseDotenv } from '../../../../src/machinefile/reading/dotenv.ts';

const environment: Record<string, string> = { HOME: '/home/me', WINS: 'environment' };
const parse = (text: string) => parseDotenv('/p/.env', text, (name) => environment[name]);

describe('parseDotenv', () => {
  test.each([
    ['A=1', { A: '1' }],
    ['A=', { A: '' }],
    ['A = 1 ', { A: '1' }],
    ['export A=1', { A: '1' }],
    ['\uFEFFA=1\r\nB=2\r\n', { A: '1', B: '2' }],
    ['# comment\n\nA=1', { A: '1' }],
    ['A=1 # comment', { A: '1' }],
    ['A=1#not a comment', { A: '1#not a comment' }],
    ['A=# comment', { A: '' }],
    ['A=b c', { A: 'b c' }],
    ['A=b=c', { A: 'b=c' }],
    ['A="b # c"', { A: 'b # c' }],
    ['A="b" # c', { A: 'b' }],
    ['A="b\\nc\\"d\\\\e\\q"', { A: 'b\nc"d\\e\\q' }],
    ['A="b\nc"\nD=1', { A: 'b\nc', D: '1' }],
    ["A='b\nc'\nD=1", { A: 'b\nc', D: '1' }],
    ["A='$HOME\\n'", { A: '$HOME\\n' }],
    ["A='it\\'s'", { A: "it's" }],
    ['A=$HOME/x', { A: '/home/me/x' }],
    ['A="${HOME}/x"', { A: '/home/me/x' }],
    ['A="\\$HOME"', { A: '$HOME' }],
    ['A=1\nB=${A}2', { A: '1', B: '12' }],
    ['WINS=file\nB=$WINS', { WINS: 'file', B: 'environment' }],
    ['A=${GONE:-d}', { A: 'd' }],
    ['A=1\nA=2', { A: '2' }],
    ['INHERITED', {}],
  ])('%j', (text, expected) => {
    const { variables, problems } = parse(text);
    expect(Object.fromEntries(variables)).toEqual(expected);
    expect(problems).toEqual([]);
  });

  test.each([
    ['1A=1', 1, 'not a variable (write NAME=value)'],
    ['A=1\nwhat is this', 2, 'not a variable (write NAME=value)'],
    ['A=1\n\nB="open', 3, 'the value of “B” has no closing "'],
    ["A='b' c", 1, "unexpected text after the closing ' of “A”"],
    ['A=${B:?set B}', 1, 'variable “B” is not set or empty: set B'],
  ])('%j is refused', (text, line, message) => {
    expect(parse(text).problems).toEqual([{ file: '/p/.env', line, column: 1, message }]);
  });

  test('a variable that is not set is a warning', () => {
    expect(parse('A=$GONE').warnings).toMatchObject([{ line: 1 }]);
  });
});
