import { describe, expect, test } from 'vitest';
import type { Communicator, GuestCommand, GuestResult } from '../../../../src/communicators/communicator.ts';
import type { ReportEvent } from '../../../../src/context.ts';
import { GuestError, InterruptedError } from '../../../../src/errors.ts';
import type { HealthcheckSpec } from '../../../../src/machinefile/spec.ts';
import { awaitHealthy } from '../../../../src/operations/health/await-healthy.ts';
import { checkHealth } from '../../../../src/operations/health/check.ts';
import { healthOf } from '../../../../src/operations/health/health.ts';
import { newRecord } from '../../../../src/operations/up/create.ts';
import { machineSpec, tinyBox } from '../../../support/machine-spec.ts';

const healthcheck: HealthcheckSpec = {
  command: 'pg_isready',
  intervalMs: 1,
  timeoutMs: 10_000,
  retries: 3,
  startPeriodMs: 0,
};

type Answer = number | Partial<GuestResult> | Error | 'hangs';

/** A guest that answers each command with the next of `answers`, and with the last of them for ever. */
function fakeGuest(...answers: readonly Answer[]) {
  const scripts: string[] = [];
  let connections = 0;
  let isConnected = false;
  const communicator: Communicator = {
    async exec({ script, signal }: GuestCommand) {
      const answer = answers[Math.min(scripts.length, answers.length - 1)];
      scripts.push(script);
      if (answer instanceof Error) throw answer;
      if (answer === 'hangs') {
        if (!signal?.aborted) await new Promise((resolve) => signal?.addEventListener('abort', resolve));
        throw new InterruptedError();
      }
      const result = typeof answer === 'number' ? { exitCode: answer } : answer;
      return { exitCode: 0, stdout: '', stderr: '', ...result };
    },
    async [Symbol.asyncDispose]() {},
  };
  const guest = {
    async communicator() {
      if (!isConnected) connections++;
      isConnected = true;
      return communicator;
    },
    async disconnect() {
      isConnected = false;
    },
  };
  return { guest, scripts, connections: () => connections };
}

const { signal } = new AbortController();

describe('one check', () => {
  test.each<[HealthcheckSpec['command'], string]>([
    ['pg_isready -q && test -e /ready', "exec sh -c 'pg_isready -q && test -e /ready'"],
    [['test', '-e', '/srv/my file'], "exec sh -c 'test -e '\\''/srv/my file'\\'''"],
  ])('runs %j by the shell of the login user', async (command, script) => {
    const { guest, scripts } = fakeGuest(0);
    expect(await checkHealth(guest, { ...healthcheck, command }, signal)).toEqual({ hasPassed: true });
    expect(scripts).toEqual([script]);
  });

  test('exit code and output of one that fails', async () => {
    const { guest } = fakeGuest({ exitCode: 2, stdout: 'no response\n', stderr: 'bye\n' });
    expect(await checkHealth(guest, healthcheck, signal)).toEqual({
      hasPassed: false,
      reason: 'exit code 2',
      exitCode: 2,
      output: 'no response\nbye\n',
    });
  });

  test('one that does not end in its time has failed', async () => {
    const { guest } = fakeGuest('hangs');
    const result = await checkHealth(guest, { ...healthcheck, timeoutMs: 5 }, signal);
    expect(result).toMatchObject({ hasPassed: false, reason: 'no end within 0.005 s' });
  });

  test('a connection that breaks is a failure, and the next check makes another', async () => {
    const { guest, connections } = fakeGuest(new GuestError('the connection broke'), 0);
    const result = await checkHealth(guest, healthcheck, signal);
    expect(result).toMatchObject({ hasPassed: false, reason: 'the connection broke' });
    expect(await checkHealth(guest, healthcheck, signal)).toEqual({ hasPassed: true });
    expect(connections()).toBe(2);
  });

  test('Ctrl-C is no failure of the check', async () => {
    const controller = new AbortController();
    const { guest } = fakeGuest('hangs');
    const checking = checkHealth(guest, healthcheck, controller.signal);
    controller.abort();
    await expect(checking).rejects.toBeInstanceOf(InterruptedError);
  });
});

describe('waiting', () => {
  /** Waits for the health of `db`, started this long ago, with `answers` of its guest. */
  async function wait(check: Partial<HealthcheckSpec>, answers: readonly Answer[], startedMsAgo = 60_000) {
    const events: ReportEvent[] = [];
    const fake = fakeGuest(...answers);
    const spec = machineSpec({ name: 'db', healthcheck: { ...healthcheck, ...check } });
    const at = new Date(Date.now() - startedMsAgo).toISOString();
    const started = { at, haltTimeoutMs: 1, settings: {} };
    const record = { ...newRecord('shop', spec, tinyBox(), '/run'), started };
    const reporter = { report: (event: ReportEvent) => events.push(event) };
    const error = await awaitHealthy({ spec, record, guest: fake.guest }, { reporter, signal }).catch(
      (thrown: unknown) => thrown,
    );
    return { error, checks: fake.scripts.length, events };
  }

  test('ends with the first check that passes', async () => {
    const { error, checks, events } = await wait({}, [1, 1, 0]);
    expect(error).toBeUndefined();
    expect(checks).toBe(3);
    expect(events.flatMap((event) => (event.type === 'progress' ? [event.text] : []))).toEqual([
      'health check: exit code 1, failure 1 of 3',
      'health check: exit code 1, failure 2 of 3',
    ]);
    expect(events.at(-1)).toMatchObject({ phase: 'health', status: 'done' });
  });

  test('gives up after so many failures, with the last output and the way on', async () => {
    const { error, checks } = await wait({}, [{ exitCode: 2, stderr: 'no response\n' }]);
    expect(checks).toBe(3);
    expect(error).toBeInstanceOf(GuestError);
    expect(error).toMatchObject({
      message: 'db is not healthy: its health check failed 3 times in a row (exit code 2)\n  no response',
      exitCode: 2,
      hint: 'db is left running: vm ssh db to look, vm up --wait db to check it again',
    });
  });

  test('failures in the start period do not count', async () => {
    const { error, checks } = await wait({ retries: 1, startPeriodMs: 3_600_000 }, [1, 1, 1, 1, 0]);
    expect(error).toBeUndefined();
    expect(checks).toBe(5);
  });

  test('the start period of a machine that was started long ago is over', async () => {
    const { error, checks } = await wait({ retries: 1, startPeriodMs: 1000 }, [1]);
    expect(error).toMatchObject({ message: 'db is not healthy: its health check failed (exit code 1)' });
    expect(checks).toBe(1);
  });
});

test.each([
  { hasPassed: true, runningForMs: 0, health: 'healthy' },
  { hasPassed: false, runningForMs: 0, health: 'starting' },
  { hasPassed: false, runningForMs: 15_999, health: 'starting' },
  { hasPassed: false, runningForMs: 16_000, health: 'unhealthy' },
])('status: $health ($hasPassed, after $runningForMs ms)', ({ health, ...observed }) => {
  const check = { ...healthcheck, startPeriodMs: 10_000, intervalMs: 2000, retries: 3 };
  expect(healthOf(check, observed)).toBe(health);
});
