import { describe, expect, test } from 'vitest';
import type { RunPolicy, StepSpec } from '../../../src/machinefile/step-spec.ts';
import {
  checkNamedSteps,
  decideStep,
  decideSteps,
  type ProvisionChoice,
  removedSteps,
} from '../../../src/operations/provision/choice.ts';

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

describe('what of a step is not as it was when it ran', () => {
  const parts = { script: 'a', args: 'b' };
  const known = (name: string, now = parts) => ({
    step: { ...step('once'), name },
    ready: { fingerprint: JSON.stringify(now), parts: now },
  });
  const ran = (after: readonly string[]) => ({ fingerprint: JSON.stringify(parts), doneAt: '', parts, after });
  const changedIn = (steps: Parameters<typeof decideSteps>[0], records: Parameters<typeof decideSteps>[2]) =>
    decideSteps(steps, missing, records).map(({ known: { step }, decision, changed }) => [
      step.name,
      decision.reason,
      changed,
    ]);

  test('nothing, or the parts that differ', () => {
    const records = { a: ran([]), b: ran(['a']) };
    expect(changedIn([known('a'), known('b', { script: 'x', args: 'y' })], records)).toEqual([
      ['a', 'done', []],
      ['b', 'changed', ['script', 'args']],
    ]);
  });

  test('its place behind another, which is before it now; one that is new in between does not count', () => {
    const records = { a: ran([]), b: ran(['a']), c: ran(['a', 'b']) };
    expect(changedIn([known('b'), known('new'), known('a'), known('c')], records)).toEqual([
      ['b', 'done', ['order']],
      ['new', 'new', []],
      ['a', 'done', []],
      ['c', 'done', []],
    ]);
  });

  test('it is not known of what an older vm recorded', () => {
    const old = { a: { fingerprint: 'x', doneAt: '' } };
    expect(changedIn([known('a')], old)).toEqual([['a', 'changed', []]]);
  });

  test('it is gone', () => {
    expect(removedSteps([{ name: 'a' }], { a: ran([]), b: ran([]) })).toEqual(['b']);
  });
});
