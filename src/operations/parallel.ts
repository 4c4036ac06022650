import { InterruptedError, VmError } from '../errors.ts';

/** A failure of one machine, told apart from the others'. */
export interface Failure {
  readonly subject: string;
  readonly error: unknown;
}

/** Several machines failed; each for its own reason. */
export class SeveralFailedError extends VmError {
  readonly failures: readonly Failure[];

  constructor(failures: readonly Failure[]) {
    super(`${failures.length} machines failed: ${failures.map(({ subject }) => subject).join(', ')}`);
    this.failures = failures;
  }
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
  const interruption = failures.find(({ error }) => error instanceof InterruptedError);
  if (interruption) throw interruption.error;
  if (failures.length > 1) throw new SeveralFailedError(failures);
  if (failures[0]) throw failures[0].error;
  return results;
}
