import { expect, test } from 'vitest';
import type { Communicator } from '../../../src/communicators/communicator.ts';
import { ConnectError, type ConnectFailure } from '../../../src/communicators/connect-error.ts';
import { type ReadyDeps, type ReadyOptions, waitUntilReady } from '../../../src/communicators/ready.ts';
import { GuestError, InterruptedError, TimeoutError, VmError } from '../../../src/errors.ts';

const endpoint = { hostIp: '127.0.0.1', port: 22, user: 'vm', privateKeyPath: '/k', hostKey: 'ssh-ed25519 AAAA' };

const communicator: Communicator = {
  exec: () => Promise.reject(new Error('not used')),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

const patient: ReadyOptions = {
  timeoutMs: 60_000,
  signal: new AbortController().signal,
  diagnose: () => new Promise(() => {}),
  isBooting: false,
  networkMark: async () => '',
};

/** Each attempt fails in its way, the one after the last succeeds; every pause takes three seconds. */
function attempts(failures: readonly (Error | ConnectFailure)[]): ReadyDeps {
  const left = failures.map((failure) =>
    typeof failure === 'string' ? new ConnectError(failure, `attempt: ${failure}`) : failure,
  );
  let nowMs = 0;
  return {
    async logIn() {
      const failure = left.shift();
      if (failure !== undefined) throw failure;
      return communicator;
    },
    async pause() {
      nowMs += 3000;
    },
    nowMs: () => nowMs,
  };
}

const hangs: ReadyDeps = { ...attempts([]), logIn: () => new Promise(() => {}) };

test.each<[string, (Error | ConnectFailure)[]]>([
  ['at once', []],
  ['after connections that broke', ['closed', 'timed_out', 'unreachable', 'closed', 'closed', 'closed']],
  ['after a command that did not run', [new GuestError('the connection to the guest broke')]],
  ['with keys that came late', ['other_host_key', 'key_refused', 'key_refused']],
])('ready %s', async (_name, failures) => {
  expect(await waitUntilReady(endpoint, patient, attempts(failures))).toBe(communicator);
});

test.each<ConnectFailure>(['other_host_key', 'key_refused'])('not ready: %s for too long', async (failure) => {
  const deps = attempts(Array(6).fill(failure));
  await expect(waitUntilReady(endpoint, patient, deps)).rejects.toThrow(`attempt: ${failure}`);
});

test('what no waiting can mend is thrown at once', async () => {
  const deps = attempts([new VmError('the key cannot be read')]);
  await expect(waitUntilReady(endpoint, patient, deps)).rejects.toThrow('the key cannot be read');
});

test('what the diagnosis says ends the wait', async () => {
  const ready = waitUntilReady(endpoint, { ...patient, diagnose: async () => 'kernel panic' }, hangs);
  await expect(ready).rejects.toThrow(new GuestError('kernel panic'));
});

test('the deadline names SSH and the setting', async () => {
  const ready = waitUntilReady(endpoint, { ...patient, timeoutMs: 0, diagnose: async () => undefined }, hangs);
  const error: unknown = await ready.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(TimeoutError);
  expect((error as TimeoutError).message).toBe('the guest did not answer on SSH within 0 s');
  expect((error as TimeoutError).hint).toContain('boot_timeout');
});

test('an interruption ends the wait', async () => {
  const ready = waitUntilReady(
    endpoint,
    { ...patient, signal: AbortSignal.abort(), diagnose: async () => undefined },
    hangs,
  );
  await expect(ready).rejects.toThrow(InterruptedError);
});

test('progress is told when it changes', async () => {
  const told: string[] = [];
  await waitUntilReady(
    endpoint,
    { ...patient, onProgress: (text) => told.push(text) },
    attempts(['closed', 'closed', 'timed_out']),
  );
  expect(told).toEqual(['attempt: closed', 'attempt: timed_out']);
});
