import { InterruptedError } from '../../errors.ts';
import type { DependencyCondition } from '../../machinefile/spec.ts';
import { type Failure, type Skipped, throwFailures } from '../parallel.ts';
import { type Ordered, type Standing, turnOf } from './graph.ts';

export interface OrderOptions {
  /** How many at a time. One that waits does not count, for others or, once it is provisioned, for its own health. */
  readonly limit: number;
  /** Told of each that is skipped, when it is. Without it nothing is: what has failed then counts as done. */
  onSkip?(skipped: Skipped): void;
}

/** Told by a machine's work of how far it has come; when it has ended, it has come all the way. */
export type Reached = (condition: DependencyCondition) => void;

/**
 * Runs `work` for every machine as soon as those that it depends on have come far enough, as many at a time as may be.
 * One that fails stops only those that depend on it.
 * @throws the only error, SeveralFailedError where more failed or some were skipped, InterruptedError when any was
 * interrupted.
 */
export async function runInOrder<T extends Ordered, R>(
  machines: readonly T[],
  { limit, onSkip }: OrderOptions,
  work: (machine: T, reached: Reached) => Promise<R>,
): Promise<R[]> {
  const standings = new Map<string, Standing>(machines.map(({ name }) => [name, { kind: 'waiting' }]));
  const results: R[] = [];
  const failures: Failure[] = [];
  const skipped: Skipped[] = [];
  let free = limit;

  const fail = (subject: string, error: unknown): void => {
    failures.push({ subject, error });
    const standing = standings.get(subject);
    const reached = standing?.kind === 'begun' ? standing.reached : undefined;
    standings.set(subject, onSkip === undefined ? { kind: 'done' } : { kind: 'failed', reached });
  };
  const skip = (name: string, because: string): void => {
    standings.set(name, { kind: 'skipped', because });
    skipped.push({ subject: name, because });
    const isInterrupted = failures.some(({ error }) => error instanceof InterruptedError);
    if (!isInterrupted) onSkip?.({ subject: name, because });
  };
  /** Resolves when the machine, and all that could begin because of it, have ended. */
  const begin = async (machine: T, index: number): Promise<void> => {
    const { name } = machine;
    const others: Promise<void>[] = [];
    let hasPlace = true;
    const giveUpPlace = () => {
      if (hasPlace) free++;
      hasPlace = false;
    };
    try {
      results[index] = await work(machine, (reached) => {
        standings.set(name, { kind: 'begun', reached });
        if (reached === 'provisioned') giveUpPlace();
        others.push(beginAll());
      });
      standings.set(name, { kind: 'done' });
    } catch (error) {
      fail(name, error);
    }
    giveUpPlace();
    await Promise.all([...others, beginAll()]);
  };
  /** Begins all that can, in their order, and skips what never will. */
  const beginAll = async (): Promise<void> => {
    const begun: Promise<void>[] = [];
    for (const [index, machine] of machines.entries()) {
      if (standings.get(machine.name)?.kind !== 'waiting') continue;
      const turn = turnOf(machine, standings);
      if (turn.kind === 'skipped') {
        skip(machine.name, turn.because);
        begun.push(beginAll());
      }
      if (turn.kind !== 'begin' || free < 1) continue;
      free--;
      standings.set(machine.name, { kind: 'begun', reached: undefined });
      begun.push(begin(machine, index));
    }
    await Promise.all(begun);
  };

  await beginAll();
  throwFailures(failures, skipped);
  return results;
}
