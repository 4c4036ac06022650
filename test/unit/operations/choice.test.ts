import { expect, test } from 'vitest';
import type { RunPolicy, StepSpec } from '../../../src/machinefile/spec.ts';
import { checkNamedSteps, decideStep, type ProvisionChoice } from '../../../src/operations/provision/choice.ts';

function step(run: RunPolicy): StepSpec {
  const script = { kind: 'inline', text: 'true' } as const;
  const cache = { ttlMs: undefined, readPaths: [] };
  return { name: 'nginx', run, cache, action: { type: 'shell', script, args: [], env: {}, privileged: true } };
}

const done = { fingerprint: 'a', doneAt: '' };
const missing: ProvisionChoice = { kind: 'missing' };
const named = (...names: string[]): ProvisionChoice => ({ kind: 'named', names });

test.each([
  ['not yet done', 'once', missing, undefined, { run: true, reason: 'new' }],
  ['done', 'once', missing, done, { run: false, reason: 'done' }],
  ['done, but changed since', 'once', missing, { ...done, fingerprint: 'b' }, { run: false, reason: 'changed' }],
  ['always', 'always', missing, done, { run: true, reason: 'always' }],
  ['never', 'never', missing, undefined, { run: false, reason: 'never' }],
  ['all of them', 'once', { kind: 'all' }, done, { run: true, reason: 'asked' }],
  ['all of them, but never', 'never', { kind: 'all' }, undefined, { run: false, reason: 'never' }],
  ['none', 'always', { kind: 'none' }, undefined, { run: false, reason: 'not_asked' }],
  ['by name, also never', 'never', named('nginx'), undefined, { run: true, reason: 'asked' }],
  ['by type', 'once', named('shell'), done, { run: true, reason: 'asked' }],
  ['by another name', 'once', named('db'), undefined, { run: false, reason: 'not_asked' }],
] as const)('%s', (_what, run, choice, record, decision) => {
  expect(decideStep(step(run), choice, { record, fingerprint: 'a' })).toEqual(decision);
});

test('a name that no step has is an error that lists the names', () => {
  expect(() => checkNamedSteps(named('nginx', 'typo'), [step('once')])).toThrow('no provisioning step is called typo');
});
