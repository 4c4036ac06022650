import { VmError } from '../errors.ts';
import type { HttpClient } from './http-client.ts';
import { HttpError, HttpStatusError } from './http-errors.ts';
import type { PartFile } from './part-file.ts';
import { TransferProgress } from './progress-text.ts';
import { receive } from './receive.ts';
import { withRetries } from './retry.ts';
import { shownUrl } from './shown-url.ts';

export interface MirrorOptions {
  /** Tried in order; the one that the part is from goes first. */
  readonly urls: readonly string[];
  /** Sent to each of the URLs. */
  readonly headers: Readonly<Record<string, string>>;
  readonly client: HttpClient;
  readonly signal: AbortSignal;
  /** Told how far it is, and why it pauses. */
  readonly report: (text: string) => void;
  readonly retryBaseDelayMs: number | undefined;
}

/**
 * Completes the part from the first URL that gives it, and tells which that was.
 * @throws VmError naming each URL and its reason when none does, or when the disk is full; InterruptedError.
 */
export async function receiveFromAny(part: PartFile, options: MirrorOptions): Promise<string> {
  const { signal, report, retryBaseDelayMs } = options;
  const progress = new TransferProgress({ report });
  const onBytes = (bytes: number, totalBytes: number | undefined) => progress.update(bytes, totalBytes);
  const failures: Failure[] = [];
  for (const url of inOrder(options.urls, part)) {
    try {
      await withRetries(() => receive(url, part, { ...options, onBytes }), {
        progress: () => part.digests.bytes,
        onRetry: (error, delayMs) => report(`${reasonOf(error)}: trying again in ${Math.ceil(delayMs / 1000)} s`),
        signal,
        baseDelayMs: retryBaseDelayMs,
      });
      return url;
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      failures.push({ url, error });
    }
  }
  throw allFailed(failures);
}

/** What is there already is worth more than the order. */
function inOrder(urls: readonly string[], part: PartFile): string[] {
  return [...urls.filter((url) => part.isFrom(url)), ...urls.filter((url) => !part.isFrom(url))];
}

interface Failure {
  readonly url: string;
  readonly error: HttpError;
}

function allFailed(failures: readonly Failure[]): VmError {
  const reasons = failures.map(({ url, error }) => `${shownUrl(url)}: ${reasonOf(error)}`);
  const [first] = failures;
  return failures.length === 1
    ? new VmError(`cannot download ${reasons[0]}`, { hint: first?.error.hint, cause: first?.error })
    : new VmError(`cannot download from any of ${failures.length} addresses:\n  ${reasons.join('\n  ')}`, {
        hint: 'check the addresses, and the network',
        cause: new AggregateError(failures.map(({ error }) => error)),
      });
}

/** Without the URL. */
function reasonOf(error: Error): string {
  return error instanceof HttpStatusError ? error.statusText : error.message;
}
