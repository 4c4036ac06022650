import { describe, expect, test } from 'vitest';
import { macAddressOf } from '../../../../src/machine/plan.ts';
import type { MachineRecord } from '../../../../src/machine/record.ts';
import type { StepSpec } from '../../../../src/machinefile/step-spec.ts';
import { type CurrentMachine, planUp, type UpFacts } from '../../../../src/operations/plan/plan-up.ts';
import { machineSpec, tinyBox } from '../../../support/machine-spec.ts';

const id = '11111111-2222-4333-8444-555555555555';

function recordWith(overrides: Partial<MachineRecord> = {}): MachineRecord {
  const { key, name, version } = tinyBox();
  return {
    format: 1,
    id,
    project: 'shop',
    machine: 'web',
    provider: 'qemu',
    createdAt: '',
    box: { key, name, version },
    ssh: {
      hostIp: '127.0.0.1',
      port: 20_022,
      user: 'root',
      privateKeyPath: undefined,
      forwardAgent: false,
      forwardX11: false,
      extraArgs: [],
    },
    forwards: [],
    macAddress: macAddressOf(id),
    runtimeDir: '/run/vm/1111',
    started: undefined,
    ready: undefined,
    environmentFingerprint: undefined,
    steps: {},
    ...overrides,
  };
}

function existing(
  kind: 'stopped' | 'running' | 'paused',
  facts: Partial<Extract<CurrentMachine, { record: MachineRecord }>> = {},
): CurrentMachine {
  return { record: recordWith(), pending: [], live: [], ...facts, kind };
}

function stepOf(name: string, run: StepSpec['run'] = 'once') {
  const script = { kind: 'path', path: `/p/${name}.sh` } as const;
  const cache = { ttlMs: undefined, readPaths: [] };
  const step: StepSpec = { name, run, cache, action: { type: 'shell', script, args: [], env: {}, privileged: true } };
  return { step, ready: { fingerprint: name, parts: { script: name, args: '' } } };
}

function plan(facts: Partial<UpFacts> = {}, cached: readonly string[] = []) {
  const spec = machineSpec({ provision: (facts.steps ?? []).map(({ step }) => step) });
  const box = { kind: 'here', box: tinyBox() } as const;
  const none = { kind: 'none' } as const;
  const all: UpFacts = { spec, box, current: none, recreate: false, steps: [], choice: { kind: 'missing' }, ...facts };
  return planUp(all, new Set(cached));
}

describe('what is done with the machine', () => {
  test.each([
    ['create', false, { kind: 'none' }, false],
    ['create', true, { kind: 'none' }, false],
    ['start', false, existing('stopped'), false],
    ['resume', false, existing('paused'), false],
    ['none', false, existing('running'), true],
    ['recreate', true, existing('running'), false],
    ['recreate', true, { kind: 'broken', reason: 'its disk is gone' }, false],
    ['fail', false, { kind: 'broken', reason: 'its disk is gone' }, false],
  ] as const)('%s (--recreate: %s)', (action, recreate, current, isUpToDate) => {
    const reason = action === 'fail' ? 'its disk is gone' : undefined;
    expect(plan({ current, recreate })).toMatchObject({ action, reason, isUpToDate });
  });

  test('the box is told of a machine that is made', () => {
    const absent = { kind: 'absent', name: 'tiny', by: 'build', from: 'the recipe tiny' } as const;
    expect(plan({ box: absent }).box).toEqual(absent);
    expect(plan({ current: existing('running') }).box).toBeUndefined();
    expect(plan({ box: absent, current: existing('running') }).box).toEqual(absent);
    expect(plan({ box: { kind: 'nowhere', name: 'tyni' } })).toMatchObject({
      action: 'fail',
      reason: 'there is no box called tyni',
    });
  });

  test('a disk that would shrink keeps a stopped machine from starting, and a running one not from running on', () => {
    const pending = [{ setting: 'disk', needs: 'recreate', blocksStart: true }] as const;
    expect(plan({ current: existing('stopped', { pending }) })).toMatchObject({ action: 'fail' });
    expect(plan({ current: existing('running', { pending }) })).toMatchObject({ action: 'none', isUpToDate: false });
  });
});

describe('steps', () => {
  const states = (facts: Partial<UpFacts>, cached?: readonly string[]) =>
    plan(facts, cached).steps.map(({ step, state, runs }) => [step, state, runs]);
  const steps = [stepOf('a'), stepOf('b'), stepOf('always', 'always'), stepOf('never', 'never')];

  test('of a machine that is to be made: all that are new, but those that a layer has', () => {
    expect(states({ steps }, ['a'])).toEqual([
      ['a', 'cached', false],
      ['b', 'new', true],
      ['always', 'always', true],
      ['never', 'never', false],
    ]);
    const done = { a: { fingerprint: 'a', doneAt: '' } };
    const current = existing('running', { record: recordWith({ steps: done }) });
    expect(states({ steps: [stepOf('a')], current, recreate: true })).toEqual([['a', 'new', true]]);
  });

  test('of one that exists: what layers have is nothing to it', () => {
    const done = {
      a: { fingerprint: 'a', doneAt: '' },
      b: { fingerprint: 'old', doneAt: '', parts: { script: 'old' } },
    };
    const current = existing('running', { record: recordWith({ steps: { ...done, gone: done.a } }) });
    const planned = plan({ steps, current }, ['b']);
    expect(planned.steps.map(({ step, state, runs, changed }) => [step, state, runs, changed])).toEqual([
      ['a', 'done', false, []],
      ['b', 'changed', false, ['script', 'args']],
      ['always', 'always', true, []],
      ['never', 'never', false, []],
    ]);
    expect(planned.steps[1]?.scriptPath).toBe('/p/b.sh');
    expect(planned.removedSteps).toEqual(['gone']);
    expect(planned.isUpToDate).toBe(false);
  });

  test('a machine whose steps are done is up to date, though some run each time', () => {
    const done = { a: { fingerprint: 'a', doneAt: '' } };
    const current = existing('running', { record: recordWith({ steps: done }) });
    expect(plan({ steps: [stepOf('a'), stepOf('always', 'always')], current }).isUpToDate).toBe(true);
    expect(plan({ steps: [stepOf('a'), stepOf('b')], current }).isUpToDate).toBe(false);
  });

  test('of one that is installed by hand: none', () => {
    expect(states({ steps: [stepOf('a')], box: undefined })).toEqual([['a', 'by_hand', false]]);
    const current = existing('running', { record: recordWith({ box: undefined }) });
    expect(states({ steps: [stepOf('a')], current })).toEqual([['a', 'by_hand', false]]);
  });
});

test('the environment of a machine that is installed by hand is left to vm provision', () => {
  const current = existing('running', { record: recordWith({ box: undefined }), live: ['environment', 'ports'] });
  expect(plan({ current }).settings.map(({ command }) => command)).toEqual(['vm provision web', 'vm up web']);
});

test('settings, with what applies them: a start takes up what otherwise needs a reload', () => {
  const pending = [
    { setting: 'memory', needs: 'reload', blocksStart: false },
    { setting: 'firmware', needs: 'recreate', blocksStart: false },
  ] as const;
  const commandsOf = (kind: 'stopped' | 'running') =>
    plan({ current: existing(kind, { pending, live: ['ports'] }) }).settings.map((setting) => Object.values(setting));
  expect(commandsOf('running')).toEqual([
    ['ports', 'live', 'vm up web'],
    ['memory', 'reload', 'vm reload web'],
    ['firmware', 'recreate', 'vm up --recreate web'],
  ]);
  expect(commandsOf('stopped')[1]).toEqual(['memory', 'reload', 'vm up web']);
  expect(plan({ current: existing('running', { pending }), recreate: true }).settings).toEqual([]);
});
