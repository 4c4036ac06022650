import { expect, test } from 'vitest';
import { type GuestStep, guestStepInput, guestStepSetup } from '../../../src/provisioners/guest-step.ts';

function step(overrides: Partial<GuestStep> & { text?: string } = {}): GuestStep {
  const { text = 'echo hi\n', ...rest } = overrides;
  return { script: Buffer.from(text), args: [], environment: {}, ...rest };
}

test.each<[string, GuestStep, string]>([
  ['a plain script', step(), 'set -- "$vm_shell" -e "$vm_dir/script"'],
  ['an interpreter of its own', step({ text: '#!/bin/sh -eu\n' }), 'set -- /bin/sh -eu "$vm_dir/script"'],
  [
    'an interpreter with one argument of several words',
    step({ text: '#!/usr/bin/env -S node -e\n' }),
    'set -- /usr/bin/env \'-S node -e\' "$vm_dir/script"',
  ],
  ['arguments', step({ args: ['--prod', "it's", ''] }), `set -- "$vm_shell" -e "$vm_dir/script" --prod 'it'\\''s' ''`],
  [
    'variables, after the command',
    step({ environment: { A: 'x y', vm_dir: '/z', EMPTY: '' } }),
    `set -- "$vm_shell" -e "$vm_dir/script"; export A='x y' vm_dir=/z EMPTY=''`,
  ],
  [
    'line ends, on one line',
    step({ args: ['a\nb'], environment: { A: "'\n'" } }),
    `set -- "$vm_shell" -e "$vm_dir/script" 'a'"$vm_newline"'b'; export A=''\\'''"$vm_newline"''\\'''`,
  ],
])('%s', (_name, given, setup) => {
  expect(guestStepSetup(given)).toBe(setup);
});

test('the input: size, one line of set-up, script', () => {
  const input = Buffer.from(guestStepInput(step({ text: 'ü', environment: { A: 'x\ny' } })));
  const [size, setup, script] = input.toString().split('\n');
  expect([size, script]).toEqual(['2', 'ü']);
  expect(setup).toContain('export A=');
});
