import { describe, expect, test } from 'vitest';
import { parseCommand } from '../../../../src/machinefile/forms/command.ts';

describe('a text is split into words as a shell would, and no more', () => {
  test.each([
    ['./notify.sh', ['./notify.sh']],
    ['  a\tb\n c ', ['a', 'b', 'c']],
    [`a 'b  c' "d e"f`, ['a', 'b  c', 'd ef']],
    [`a '' ""`, ['a', '', '']],
    ['a b\\ c \\; \\$x', ['a', 'b c', ';', '$x']],
    [`a '$HOME | *' '\\'`, ['a', '$HOME | *', '\\']],
    ['a "\\$x \\"y\\" \\\\ \\n"', ['a', '$x "y" \\ \\n']],
    ['a key=value #b {c} 2', ['a', 'key=value', '#b', '{c}', '2']],
  ])('%j', (text, [file, ...args]) => {
    expect(parseCommand(text)).toEqual({ value: { file, args } });
  });
});

test('a list is its words', () => {
  expect(parseCommand(['sh', '-c', 'a | b "$c"', 1])).toEqual({
    value: { file: 'sh', args: ['-c', 'a | b "$c"', '1'] },
  });
});

describe('what is not a command without a shell', () => {
  test.each([
    ['a | b', '“|” is for a shell'],
    ['a && b', '“&” is for a shell'],
    ['a >log', '“>” is for a shell'],
    ['a $HOME', '“$” is for a shell'],
    ['a "$HOME"', '“$” is for a shell'],
    ['a "x\\\\$y"', '“$” is for a shell'],
    ['a `b`', '“`” is for a shell'],
    ['a *.txt', '“*” is for a shell'],
    ['~/a', '“~” is for a shell, which hooks are run without (run it by ["sh", "-c", "…"], or write it as a script)'],
    [`a 'b`, "there is no end to the '"],
    ['a "b', 'there is no end to the "'],
    ['a \\', 'there is no end to the \\'],
    ['  ', 'a command begins with a program'],
    [['', 'x'], 'a command begins with a program'],
    ['A=1 b', '“A=1” is no program (env A=1 COMMAND sets a variable)'],
  ])('%j', (command, mistake) => {
    expect(parseCommand(command)).toEqual({ mistake: expect.stringContaining(mistake) });
  });
});
