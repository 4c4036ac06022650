import { describe, expect, test } from 'vitest';
import { buildTree } from '../../../../src/machinefile/reading/build-tree.ts';
import { dropResets, mergeTrees } from '../../../../src/machinefile/reading/merge.ts';
import { parseFile } from '../../../../src/machinefile/reading/parse.ts';
import { positionAt, toData } from '../../../../src/machinefile/reading/tree.ts';

const treeOf = (text: string, file = 'base') => buildTree(parseFile(file, text), () => undefined).tree;

describe('mergeTrees', () => {
  test.each([
    ['scalars replace', 'a: 1', 'a: 2', { a: 2 }],
    ['mappings merge deep', 'a: {b: 1, c: {d: 1}}', 'a: {c: {e: 2}}', { a: { b: 1, c: { d: 1, e: 2 } } }],
    ['lists append, the lower first', 'a: [1, 2]', 'a: [3]', { a: [1, 2, 3] }],
    ['a new key is added', 'a: 1', 'b: 2', { a: 1, b: 2 }],
    ['a list replaces a mapping', 'a: {b: 1}', 'a: [1]', { a: [1] }],
    ['a mapping replaces a text', 'a: x', 'a: {b: 1}', { a: { b: 1 } }],
    ['an empty value leaves a mapping', 'a: {b: 1}', 'a:', { a: { b: 1 } }],
    ['an empty value replaces a list', 'a: [1]', 'a:', { a: null }],
    ['!override replaces a list', 'a: [1, 2]', 'a: !override [3]', { a: [3] }],
    ['!override replaces a mapping', 'a: {b: 1}', 'a: !override {c: 2}', { a: { c: 2 } }],
    ['!override on a scalar keeps its type', 'a: 1', 'a: !override 2', { a: 2 }],
    ['!override below', 'a: {b: [1], c: 1}', 'a: {b: !override [2]}', { a: { b: [2], c: 1 } }],
    ['!reset takes away', 'a: [1]\nb: 2', 'a: !reset null', { b: 2 }],
    ['!reset with any value', 'a: {b: 1, c: 2}', 'a: {b: !reset []}', { a: { c: 2 } }],
    ['!reset of nothing', 'a: 1', 'b: !reset', { a: 1 }],
    ['!reset below, given anew above', 'a: !reset null', 'a: [1]', { a: [1] }],
  ])('%s', (_, base, over, expected) => {
    expect(toData(dropResets(mergeTrees(treeOf(base), treeOf(over))))).toEqual(expected);
  });

  test('tags of an override file still hold against defaults', () => {
    const merged = mergeTrees(treeOf('p: [1]'), treeOf('p: !override [2]'));
    expect(toData(mergeTrees(treeOf('p: [0]'), merged))).toEqual({ p: [2] });
    const reset = mergeTrees(treeOf('p: [1]'), treeOf('p: !reset null'));
    expect(toData(dropResets(mergeTrees(treeOf('p: [0]'), reset)))).toEqual({});
    const anew = mergeTrees(treeOf('p: !reset null'), treeOf('p: [2]'));
    expect(toData(dropResets(mergeTrees(treeOf('p: [0]'), anew)))).toEqual({ p: [2] });
  });

  test('each value keeps the file and the place it was written at', () => {
    const merged = mergeTrees(treeOf('a: [1]\nb: {c: 1}'), treeOf('a:\n  - 2\nb:\n  d: 3', 'over'));
    expect(positionAt(merged, ['a', 0])).toEqual({ file: 'base', line: 1, column: 5 });
    expect(positionAt(merged, ['a', 1])).toEqual({ file: 'over', line: 2, column: 5 });
    expect(positionAt(merged, ['b', 'c'])).toEqual({ file: 'base', line: 2, column: 8 });
    expect(positionAt(merged, ['b', 'd'])).toEqual({ file: 'over', line: 4, column: 6 });
  });
});
