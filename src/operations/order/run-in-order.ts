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

/** Waits in a machine's work for that of another: it takes no place meanwhile, and goes on when it has one again. */
export type WaitAside = <T>(wait: () => Promise<T>) => Promise<T>;

/**
 * Runs `work` for every machine as soon as those that it depends on have come far enough, as many at a time as may be.
 * One that fails stops only those that depend on it.
 * @throws the only error, SeveralFailedError where more failed or some were skipped, InterruptedError when any was
 * interrupted.
 */
export async function runInOrder<T extends Ordered, R>(
  machines: readonly T[],
  { limit, onSkip }: OrderOptions,
  work: (machine: T, reached: Reached, waitAside: WaitAside) => Promise<R>,
): Promise<R[]> {
  const standings = new Map<string, Standing>(machines.map(({ name }) => [name, { kind: 'waiting' }]));
  const results: R[] = [];
  const failures: Failure[] = [];
  const skipped: Skipped[] = [];
  const places = new Places(limit);

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
      if (hasPlace) places.giveUp();
      hasPlace = false;
    };
    const reach: Reached = (reached) => {
      standings.set(name, { kind: 'begun', reached });
      if (reached === 'provisioned') giveUpPlace();
      others.push(beginAll());
    };
    const waitAside: WaitAside = async (wait) => {
      giveUpPlace();
      others.push(beginAll());
      const waited = await wait();
      await places.takeAgain();
      hasPlace = true;
      return waited;
    };
    try {
      results[index] = await work(machine, reach, waitAside);
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
      if (turn.kind !== 'begin' || !places.take()) continue;
      standings.set(machine.name, { kind: 'begun', reached: undefined });
      begun.push(begin(machine, index));
    }
    await Promise.all(begun);
  };

  await beginAll();
  throwFailures(failures, skipped);
  return results;
}

/** Who has given one up for a while has it again before others begin. */
class Places {
  #free: number;
  readonly #returning: (() => void)[] = [];

  constructor(limit: number) {
    this.#free = limit;
  }

  /** Whether there was one. */
  take(): boolean {
    if (this.#free < 1) return false;
    this.#free--;
    return true;
  }

  takeAgain(): Promise<void> {
    return this.take() ? Promise.resolve() : new Promise((resolve) => this.#returning.push(resolve));
  }

  giveUp(): void {
    const next = this.#returning.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
