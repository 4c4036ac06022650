import { pause } from '../host/wait.ts';
import { HttpConnectionError, HttpStatusError } from './http-errors.ts';

export interface RetryOptions {
  /** Grows as the work gets ahead: attempts that get ahead do not count. */
  readonly progress: () => number;
  /** Called before each pause. */
  readonly onRetry: (error: Error, delayMs: number) => void;
  readonly signal: AbortSignal;
  /** The first pause. Default: 1 s; the longest is 30 times as long. */
  readonly baseDelayMs?: number | undefined;
}

/** In a row, without getting ahead. */
const MAX_ATTEMPTS = 5;
const DEFAULT_BASE_DELAY_MS = 1000;
const MAX_RETRY_AFTER_MS = 60_000;

/**
 * Calls `attempt` until it succeeds, five times in vain, or fails in a way that another try does not change.
 * @throws the last error of `attempt`; InterruptedError.
 */
export async function withRetries<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { progress, onRetry, signal, baseDelayMs = DEFAULT_BASE_DELAY_MS } = options;
  let failures = 0;
  let furthest = progress();
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      // What counts is the furthest point ever: a server that always breaks off and cannot resume would never end.
      const isAhead = progress() > furthest;
      furthest = Math.max(furthest, progress());
      failures = isAhead ? 0 : failures + 1;
      if (failures >= MAX_ATTEMPTS || !isWorthAnotherTry(error)) throw error;
      const delayMs = retryDelayMs(error, { failures, baseDelayMs, random: Math.random() });
      onRetry(error, delayMs);
      await pause(delayMs, signal);
    }
  }
}

function isWorthAnotherTry(error: unknown): error is HttpConnectionError | HttpStatusError {
  if (error instanceof HttpConnectionError) return true;
  return error instanceof HttpStatusError && (error.status >= 500 || error.status === 408 || error.status === 429);
}

/** What the server asks for, up to 60 s; otherwise 1, 3, 9, 27 times the base and up to half more, 30 times at most. */
export function retryDelayMs(
  error: HttpConnectionError | HttpStatusError,
  { failures, baseDelayMs, random }: { failures: number; baseDelayMs: number; random: number },
): number {
  const wantedMs = error instanceof HttpStatusError ? error.retryAfterMs : undefined;
  if (wantedMs !== undefined) return Math.min(wantedMs, MAX_RETRY_AFTER_MS);
  return baseDelayMs * Math.min(3 ** Math.max(failures - 1, 0) * (1 + random / 2), 30);
}
