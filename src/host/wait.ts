import { setTimeout as delay } from 'node:timers/promises';
import { InterruptedError, TimeoutError } from '../errors.ts';

export interface WaitOptions {
  /** What is waited for, for the message of TimeoutError: "the guest's SSH server". */
  readonly what: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** First pause between two probes; it grows by half each time up to `maxPauseMs`. */
  readonly minPauseMs?: number;
  readonly maxPauseMs?: number;
}

/**
 * Calls `probe` until it returns something other than undefined. The only way to wait for a condition.
 * A throw from `probe` ends the wait and is passed on.
 * @throws TimeoutError after `timeoutMs`; InterruptedError when `signal` is aborted.
 */
export async function waitFor<T>(
  probe: () => T | undefined | Promise<T | undefined>,
  options: WaitOptions,
): Promise<T> {
  const { what, timeoutMs, signal, minPauseMs = 20, maxPauseMs = 250 } = options;
  const deadline = performance.now() + timeoutMs;
  for (let pauseMs = minPauseMs; ; pauseMs = Math.min(pauseMs * 1.5, maxPauseMs)) {
    if (signal.aborted) throw new InterruptedError();
    const result = await probe();
    if (result !== undefined) return result;
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) throw new TimeoutError(`gave up waiting for ${what} after ${timeoutMs / 1000} s`);
    await pause(Math.min(pauseMs, leftMs), signal);
  }
}

/** Sleeps, or throws InterruptedError as soon as `signal` is aborted. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (cause) {
    throw new InterruptedError(undefined, { cause });
  }
}
