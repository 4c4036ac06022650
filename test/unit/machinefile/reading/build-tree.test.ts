// biome-ignore-all lint/suspicious/noTemplateCurlyInString: Machinefiles have their own
import { describe, expect, test } from 'vitest';
import { buildTree } from '../../../../src/machinefile/reading/build-tree.ts';
import { parseFile } from '../../../../src/machinefile/reading/parse.ts';
import { keyPositionAt, positionAt, toData } from '../../../../src/machinefile/reading/tree.ts';

const variables: Record<string, string> = { CPUS: '2', FLAG: 'true', TEXT: 'a b', LIST: '[1, 2]', EMPTY: '' };

function read(text: string) {
  const parsed = parseFile('M', text);
  const built = buildTree(parsed, (name) => variables[name]);
  const at = ({ line, column, message }: { line: number; column: number; message: string }) =>
    `${line}:${column}: ${message}`;
  return {
    tree: built.tree,
    data: toData(built.tree),
    problems: [...parsed.problems, ...built.problems].map(at),
    warnings: built.warnings.map(at),
  };
}

describe('values', () => {
  test.each([
    ['a: ${CPUS}', { a: 2 }],
    ['a: "${CPUS}"', { a: '2' }],
    ["a: '${CPUS}'", { a: '2' }],
    ['a: ${CPUS}GiB', { a: '2GiB' }],
    ['a: ${FLAG}', { a: true }],
    ['a: ${EMPTY}', { a: null }],
    ['a: "${EMPTY}"', { a: '' }],
    ['a: ${NONE:-1.50}', { a: 1.5 }],
    ['a: ${LIST}', { a: '[1, 2]' }],
    ['a: ${TEXT}', { a: 'a b' }],
    ['a: |\n  x ${CPUS}\n', { a: 'x 2\n' }],
    ['${CPUS}: 1', { '${CPUS}': 1 }],
    ['a: yes', { a: 'yes' }],
    ['a: 22:22', { a: '22:22' }],
    ['a: 0o17', { a: 15 }],
    ['a: !override 0x10', { a: 16 }],
    ['a: !override "5"', { a: '5' }],
    ['1: a\ntrue: b', { '1': 'a', true: 'b' }],
    ['a: !!str 5', { a: '5' }],
    ['x-a: 1\nb: {x-c: 2}', { b: { 'x-c': 2 } }],
    ['', {}],
    ['# only a comment', {}],
  ])('%j', (text, expected) => {
    expect(read(text)).toMatchObject({ data: expected, problems: [], warnings: [] });
  });

  test.each([
    'machines:\n  m:\n    provision:\n      - shell: echo $HOME ${X:?}\n',
    'defaults:\n  provision:\n    - shell: {inline: "$HOME ${X:?}"}\n',
  ])('nothing is replaced in a shell script: %j', (text) => {
    const { data, problems, warnings } = read(text);
    expect([problems, warnings]).toEqual([[], []]);
    expect(JSON.stringify(data)).toContain('$HOME ${X:?}');
  });

  test('everywhere else of a step variables are replaced', () => {
    const step = '{ name: "$CPUS", shell: { path: "$CPUS", args: ["$CPUS"], env: { A: "$CPUS" } } }';
    const { data } = read(`machines: {m: {provision: [${step}]}}`);
    expect(JSON.stringify(data)).not.toContain('$CPUS');
  });

  test('__proto__ is a key like any other', () => {
    expect(JSON.stringify(read('__proto__: {a: 1}').data)).toBe('{"__proto__":{"a":1}}');
  });
});

describe('anchors, aliases and merge keys', () => {
  test.each([
    ['a: &x 1\nb: *x', { a: 1, b: 1 }],
    ['x-a: &x {b: 1}\nc: *x', { c: { b: 1 } }],
    ['a: &x 1\nb: &x 2\nc: *x', { a: 1, b: 2, c: 2 }],
    ['x-a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}', { d: { b: 1, c: 3 } }],
    ['x-a: &x {b: 1}\nd: {b: 2, <<: *x}', { d: { b: 2 } }],
    ['x-a: &x {b: 1}\nx-b: &y {b: 2, c: 2}\nd: {<<: [*x, *y]}', { d: { b: 1, c: 2 } }],
    ['x-a: &x {b: 1}\nx-b: &y {<<: *x, c: 2}\nd: {<<: *y}', { d: { b: 1, c: 2 } }],
    ['d: {<<: {b: 1}}', { d: { b: 1 } }],
    ['d: {"<<": 1}', { d: { '<<': 1 } }],
    ['x-a: &x {b: {c: 1}}\nd: {<<: *x, b: {e: 1}}', { d: { b: { e: 1 } } }],
    [
      'x-s: &s "echo $HOME"\nmachines: {m: {provision: [{shell: *s}]}}',
      { machines: { m: { provision: [{ shell: 'echo $HOME' }] } } },
    ],
  ])('%j', (text, expected) => {
    expect(read(text)).toMatchObject({ data: expected, problems: [], warnings: [] });
  });

  test.each([
    ['a: *x', ['1:4: no anchor “&x” stands above this alias']],
    ['a: *x\nb: &x 1', ['1:4: no anchor “&x” stands above this alias']],
    ['a: &x [*x]', ['1:8: this alias stands inside the value it means']],
    ['a: &x {b: {c: *x}}', ['1:15: this alias stands inside the value it means']],
    ['a: &x {<<: *x}', ['1:12: this alias stands inside the value it means']],
    ['a: {<<: 5}', ['1:9: “<<” takes a mapping, or a list of mappings']],
    ['x-a: &x [1]\nb: {<<: *x}', ['1:10: “<<” takes a mapping, or a list of mappings']],
    ['a: {<<: *x}', ['1:9: no anchor of this name stands above this alias']],
    ['? [a]\n: 1', ['1:3: a key must be a text']],
    ['1: a\n"1": b', ['2:1: this key is given twice in the same mapping']],
    ['- a', ['1:1: a Machinefile is a mapping of keys to values (such as “machines:”)']],
    ['text', ['1:1: a Machinefile is a mapping of keys to values (such as “machines:”)']],
  ])('%j is refused', (text, problems) => {
    expect(read(text).problems).toEqual(problems);
  });
});

describe('YAML mistakes', () => {
  test.each([
    ['x-a:\n  b: 1\n  b: 2', ['3:3: this key is given twice in the same mapping']],
    ['a: !other 1', ['1:4: unknown tag !other (allowed: !override, !reset)']],
    ['a: 1\n---\nb: 2', ['2:1: only one YAML document is allowed (remove the second “---”)']],
    ['a:\n\t- b', ['2:1: tabs cannot indent YAML (use spaces)']],
    [
      'p: [${A}:80]',
      expect.arrayContaining([
        expect.stringMatching(/^1:\d+: not valid YAML: .* \(inside … and … a|needs quotes around it\)$/),
      ]),
    ],
    ['a: "b', ['1:6: not valid YAML: Missing closing "quote']],
  ])('%j', (text, problems) => {
    expect(read(text).problems).toEqual(problems);
  });
});

describe('variables', () => {
  test.each([
    ['a: x${NONE}', '1:5'],
    ['a:  "x ${NONE}"', '1:8'],
    ['a: >\n  one\n  two $NONE\n', '3:7'],
    ['a: [1, "$NONE"]', '1:9'],
  ])('a variable that is not set is found: %j', (text, place) => {
    const { warnings, problems } = read(text);
    expect(problems).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(new RegExp(`^${place}: variable “NONE” is not set`))]);
  });

  test('a message of `:?` is a problem at its place', () => {
    expect(read('a: ok\nb: "x ${NONE:?set NONE}"').problems).toEqual([
      '2:7: variable “NONE” is not set or empty: set NONE',
    ]);
  });

  test('two of one name in one value are two places', () => {
    expect(read('a: $NONE $NONE').warnings.map((warning) => warning.slice(0, 4))).toEqual(['1:4:', '1:10']);
  });
});

describe('places', () => {
  const text = [
    'a: 1',
    'b:',
    '  c: [x, {d: 2}]',
    '  e:',
    'f: &f',
    '  g: 3',
    'h:',
    '  <<: *f',
    'i:',
    '  - j: 1',
    '    k: 2',
  ].join('\n');
  const { tree } = read(text);

  test.each([
    [['a'], 1, 4],
    [['b'], 2, 1],
    [['b', 'c'], 3, 6],
    [['b', 'c', 1], 3, 10],
    [['b', 'c', 1, 'd'], 3, 14],
    [['b', 'e'], 4, 3],
    [['h', 'g'], 6, 6],
    [['i', 0], 10, 5],
    [['i', 0, 'k'], 11, 8],
    [['i', 7], 9, 1],
    [['none'], 1, 1],
  ])('of the value at %j', (path, line, column) => {
    expect(positionAt(tree, path)).toEqual({ file: 'M', line, column });
  });

  test.each([
    [['b', 'c'], 3, 3],
    [['h', 'g'], 6, 3],
    [['i', 0], 10, 5],
  ])('of the key at %j', (path, line, column) => {
    expect(keyPositionAt(tree, path)).toEqual({ file: 'M', line, column });
  });
});

describe('hostile files', () => {
  const bomb = (head: string, level: (index: number) => string) =>
    [head, ...Array.from({ length: 30 }, (_, index) => level(index))].join('\n');

  test('aliases that multiply are refused, quickly', () => {
    const list = bomb('a0: &a0 [x, x]', (index) => `a${index + 1}: &a${index + 1} [*a${index}, *a${index}]`);
    expect(read(list).problems).toContainEqual(expect.stringContaining('stand for more than 20000 values'));
  });

  test('merge keys that multiply cost nothing', () => {
    const merges = bomb('a0: &a0 {x: 1}', (index) => `a${index + 1}: &a${index + 1} {<<: [*a${index}, *a${index}]}`);
    expect(read(merges).problems).toEqual([]);
  });

  test('deep nesting is refused', () => {
    expect(read(`a: ${'['.repeat(100)}${']'.repeat(100)}`).problems).toContainEqual(
      expect.stringContaining('nested too deeply'),
    );
    expect(read(`a: ${'['.repeat(100_000)}`).problems.length).toBeGreaterThan(0);
  });

  test('a huge file is refused', () => {
    expect(read(`a: ${'x'.repeat(2 ** 20)}`).problems).toEqual(['1:1: the file is larger than 1 MiB']);
  });
});
