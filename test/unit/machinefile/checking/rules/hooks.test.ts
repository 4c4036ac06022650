import { describe, expect, test } from 'vitest';
import { inMachine } from '../../load-files.ts';

describe('hooks', () => {
  test.each([
    ['hooks: { after_up: "a | b" }', '4:24: “|” is for a shell'],
    ['hooks: { after_up: [a, "b;"] }', '4:28: “;” is for a shell'],
    ['hooks: { after_up: [[a], [""]] }', '4:30: a command begins with a program'],
    [
      'hooks: { after_up: [a, 5] }',
      '4:28: item 2 of “after_up” must be a command: a text, or a list of its words, not 5',
    ],
    ['hooks: { after_start: a }', '4:14: unknown key “after_start” (allowed: before_up, after_up, before_halt'],
  ])('%s', async (settings, problem) => {
    expect(await inMachine(`box: tiny\n${settings}`)).toEqual([expect.stringContaining(`Machinefile:${problem}`)]);
  });

  test.each([
    '{ after_up: a }',
    '{ after_up: [a b, [c, d]] }',
    '{ after_up: [[sh, -c, "a | b"]] }',
    '{ x-mine: "a | b" }',
  ])('%s is right', async (hooks) => {
    expect(await inMachine(`box: tiny\nhooks: ${hooks}`)).toEqual([]);
  });
});
