import { expect, test } from 'vitest';
import { formatPlan } from '../../../src/cli/commands/plan.ts';
import { workOf } from '../../../src/cli/commands/up.ts';
import type { PlannedStep, UpPlan } from '../../../src/operations/plan/plan-up.ts';
import type { UpOutcome } from '../../../src/operations/up/machine.ts';

function lines(overrides: Partial<UpPlan>): string[] {
  const nothing = { reason: undefined, box: undefined, steps: [], removedSteps: [], settings: [], isUpToDate: false };
  return formatPlan({ machine: 'web', action: 'none', ...nothing, ...overrides }, '/p');
}

const absent = { kind: 'absent', name: 'debian/13', by: 'build', from: 'the recipe debian/13' } as const;

test.each<[Partial<UpPlan>, string[]]>([
  [{ isUpToDate: true }, ['web is up to date']],
  [{ action: 'create' }, ['web would be created']],
  [
    { action: 'create', box: absent },
    ['web would be created from debian/13, which would be built first (the recipe debian/13)'],
  ],
  [{ box: absent }, ['web is running', '  debian/13 would be built first (the recipe debian/13)']],
  [
    { action: 'create', box: { kind: 'unlocked', name: 'oci://a/b:1', by: 'download', from: 'oci://a/b:1' } },
    ['web would be created from oci://a/b:1, which would be downloaded unless it is here already'],
  ],
  [{ action: 'recreate' }, ['web would be destroyed, with what is on its disks, and created']],
  [{ action: 'resume' }, ['web would be resumed']],
  [{ action: 'fail', reason: 'no' }, ['web could not be brought up: no']],
  [{ removedSteps: ['db'] }, ['web is running', '  step db: ran, and is not in the Machinefile any more']],
])('%o', (overrides, text) => {
  expect(lines(overrides)).toEqual(text);
});

test.each<[Partial<PlannedStep>, string]>([
  [{ state: 'new', runs: true }, 'would run (new)'],
  [{ state: 'cached' }, 'cached'],
  [{ state: 'by_hand' }, 'left to vm provision'],
  [{ state: 'never' }, 'runs only when asked'],
  [{ state: 'done', changed: ['order'] }, 'done, but changed since it ran (order)'],
  [{ state: 'changed' }, 'changed since it ran: vm provision web --with app runs it again'],
  [
    { state: 'changed', changed: ['script', 'env'], scriptPath: '/p/a/app.sh' },
    'changed since it ran (script a/app.sh, env): vm provision web --with app runs it again',
  ],
])('a step: %o', (step, text) => {
  const planned = { step: 'app', state: 'done', runs: false, changed: [], scriptPath: undefined, ...step } as const;
  expect(lines({ steps: [planned] })[1]).toBe(`  step app: ${text}`);
});

test('the end of up sums up what was done, what was there, and what is not applied', () => {
  const outcome: UpOutcome = {
    machine: 'web',
    created: false,
    started: false,
    resumed: false,
    ready: true,
    stepsRun: [],
    steps: [],
    pending: [],
    forwards: [],
  };
  const step = (state: UpOutcome['steps'][number]['state']) => ({ step: 'a', state });
  expect(workOf(outcome)).toEqual([]);
  expect(workOf({ ...outcome, created: true, started: true, steps: [step('run')] })).toEqual(['created, 1 step run']);
  const steps = [step('cached'), step('cached'), step('run'), step('never')];
  expect(workOf({ ...outcome, started: true, steps })).toEqual(['started, 2 steps cached, 1 run']);
  const pending = [{ setting: 'memory', needs: 'reload', blocksStart: false }] as const;
  expect(workOf({ ...outcome, resumed: true, pending })).toEqual(['resumed', 'not applied: memory']);
});
