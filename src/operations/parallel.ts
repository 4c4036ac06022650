import { InterruptedError, VmError } from '../errors.ts';

/** A failure of one machine, told apart from the others'. */
export interface Failure {
  readonly subject: string;
  readonly error: unknown;
}

/** A machine that nothing was done with, because one that it depends on failed. */
export interface Skipped {
  readonly subject: string;
  /** The one that failed, not one between the two that was skipped, too. */
  readonly because: string;
}

/** Several machines are not as they should be: some failed, each for its own reason, others were skipped for that. */
export class SeveralFailedError extends VmError {
  readonly failures: readonly Failure[];
  readonly skipped: readonly Skipped[];

  constructor(failures: readonly Failure[], skipped: readonly Skipped[] = []) {
    super(describeOutcome(failures, skipped));
    this.failures = failures;
    this.skipped = skipped;
  }
}

function describeOutcome(failures: readonly Failure[], skipped: readonly Skipped[]): string {
  const failed = failures.map(({ subject }) => subject).join(', ');
  const told = `${failures.length} ${failures.length === 1 ? 'machine' : 'machines'} failed: ${failed}`;
  if (skipped.length === 0) return told;
  const reasons = skipped.map(({ subject, because }) => `${subject} (needs ${because})`);
  return `${told}; ${skipped.length} skipped: ${reasons.join(', ')}`;
}

/** @throws the only error, SeveralFailedError for more, InterruptedError when any was interrupted. */
export function throwFailures(failures: readonly Failure[], skipped: readonly Skipped[] = []): void {
  const interruption = failures.find(({ error }) => error instanceof InterruptedError);
  if (interruption) throw interruption.error;
  if (failures.length > 1 || skipped.length > 0) throw new SeveralFailedError(failures, skipped);
  if (failures[0]) throw failures[0].error;
}

/**
 * Runs `work` for every item, at most `limit` at a time. One that fails does not stop the others.
 * @throws the only error, SeveralFailedError for more, InterruptedError when any was interrupted.
 */
export async function forEachParallel<T extends { readonly name: string }, R>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const failures: Failure[] = [];
  const queue = items.entries();
  const worker = async () => {
    for (const [index, item] of queue) {
      try {
        results[index] = await work(item);
      } catch (error) {
        failures.push({ subject: item.name, error });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  throwFailures(failures);
  return results;
}
