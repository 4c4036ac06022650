import { expect, test } from 'vitest';
import { InterruptedError, VmError } from '../../../src/errors.ts';
import { HttpConnectionError, HttpError, HttpStatusError } from '../../../src/http/http-errors.ts';
import { retryDelayMs, withRetries } from '../../../src/http/retry.ts';

const cut = new HttpConnectionError('cut');

function status(code: number, headers: Record<string, string> = {}): HttpStatusError {
  return new HttpStatusError('http://a.test/x', { status: code, headers });
}

/** Fails with each of `errors` in turn, then succeeds; `progress` moves by one in the attempts that `advances` names. */
async function attempt(errors: readonly Error[], advances: readonly number[] = []) {
  const attempts = { count: 0, bytes: 0, retries: 0 };
  const ended = withRetries(
    async () => {
      const error = errors[attempts.count++];
      if (advances.includes(attempts.count)) attempts.bytes++;
      if (error !== undefined) throw error;
      return 'done';
    },
    {
      progress: () => attempts.bytes,
      onRetry: () => attempts.retries++,
      signal: new AbortController().signal,
      baseDelayMs: 0,
    },
  );
  return { outcome: await ended.catch((error: unknown) => error), ...attempts };
}

test.each([
  ['a connection that breaks', [cut, cut]],
  ['statuses that pass', [408, 429, 500, 503].map((code) => status(code))],
])('%s: tried again', async (_what, errors) => {
  expect(await attempt(errors)).toMatchObject({ outcome: 'done', count: errors.length + 1, retries: errors.length });
});

test.each([
  ['404', status(404)],
  ['416', status(416)],
  ['an address that cannot work', new HttpError('not http')],
  ['what is not of HTTP', new VmError('the disk is full')],
])('%s: not tried again', async (_what, error) => {
  expect(await attempt([error])).toMatchObject({ outcome: error, count: 1, retries: 0 });
});

test('five times in vain', async () => {
  expect(await attempt(Array(9).fill(cut))).toMatchObject({ outcome: cut, count: 5, retries: 4 });
});

test('getting ahead starts the count anew', async () => {
  expect(await attempt(Array(20).fill(cut), [3, 6])).toMatchObject({ outcome: cut, count: 11 });
});

test('a pause ends at once when interrupted', async () => {
  const controller = new AbortController();
  const ended = withRetries(() => Promise.reject(cut), {
    progress: () => 0,
    onRetry: () => controller.abort(),
    signal: controller.signal,
    baseDelayMs: 1e9,
  });
  await expect(ended).rejects.toBeInstanceOf(InterruptedError);
});

test('pauses grow from one second to thirty', () => {
  const delays = (random: number) =>
    [0, 1, 2, 3, 4].map((failures) => retryDelayMs(cut, { failures, baseDelayMs: 1000, random }));
  expect(delays(0)).toEqual([1000, 1000, 3000, 9000, 27_000]);
  expect(delays(1)).toEqual([1500, 1500, 4500, 13_500, 30_000]);
});

test.each([
  ['0', 0],
  ['7', 7000],
  ['60', 60_000],
  ['3600', 60_000],
  ['soon', 1000],
  [new Date(0).toUTCString(), 0],
  [new Date(Date.now() + 1e9).toUTCString(), 60_000],
])('Retry-After: %s', (retryAfter, delayMs) => {
  const error = status(503, { 'retry-after': retryAfter });
  expect(retryDelayMs(error, { failures: 1, baseDelayMs: 1000, random: 0 })).toBe(delayMs);
});
