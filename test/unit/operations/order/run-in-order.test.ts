import { describe, expect, test } from 'vitest';
import { InterruptedError, VmError } from '../../../../src/errors.ts';
import type { DependencyCondition } from '../../../../src/machinefile/spec.ts';
import type { Ordered } from '../../../../src/operations/order/graph.ts';
import { type Reached, runInOrder, type WaitAside } from '../../../../src/operations/order/run-in-order.ts';
import { SeveralFailedError, type Skipped } from '../../../../src/operations/parallel.ts';

function machine(name: string, dependsOn: Readonly<Record<string, DependencyCondition>> = {}): Ordered {
  return { name, dependsOn: Object.entries(dependsOn).map(([other, condition]) => ({ name: other, condition })) };
}

interface Work {
  readonly reached: Reached;
  readonly waitAside: WaitAside;
  end(): Promise<void>;
  fail(error?: Error): Promise<void>;
}

/** Machines whose work goes on when the test says so. */
function startWork(machines: readonly Ordered[], options: { readonly limit?: number; readonly skips?: boolean } = {}) {
  const begun: string[] = [];
  const works = new Map<string, Work>();
  const told: Skipped[] = [];
  const { limit = 9, skips = true } = options;
  const result = runInOrder(machines, { limit, ...(skips && { onSkip: (skipped) => told.push(skipped) }) }, work);
  const settled = result.catch((error: unknown) => error);

  function work({ name }: Ordered, reached: Reached, waitAside: WaitAside): Promise<string> {
    begun.push(name);
    return new Promise((resolve, reject) => {
      const after = async (settle: () => void) => {
        settle();
        await new Promise(setImmediate);
      };
      works.set(name, {
        reached,
        waitAside,
        end: () => after(() => resolve(name.toUpperCase())),
        fail: (error = new VmError(`${name} is bad`)) => after(() => reject(error)),
      });
    });
  }
  const of = (name: string): Work => {
    const found = works.get(name);
    if (found === undefined) throw new Error(`${name} has not begun`);
    return found;
  };
  return { begun, of, told, settled };
}

describe('order', () => {
  test('what depends on nothing begins at once, the rest when its time has come; results in the given order', async () => {
    const run = startWork([machine('web', { db: 'started', cache: 'started' }), machine('db'), machine('cache')]);
    expect(run.begun).toEqual(['db', 'cache']);
    await run.of('db').end();
    expect(run.begun).toEqual(['db', 'cache']);
    await run.of('cache').end();
    expect(run.begun).toEqual(['db', 'cache', 'web']);
    await run.of('web').end();
    expect(await run.settled).toEqual(['WEB', 'DB', 'CACHE']);
  });

  test('a condition that is reached is enough, while the work goes on', async () => {
    const machines = [machine('db'), machine('a', { db: 'started' }), machine('b', { db: 'provisioned' })];
    const run = startWork([...machines, machine('c', { db: 'healthy' })]);
    run.of('db').reached('started');
    expect(run.begun).toEqual(['db', 'a']);
    run.of('db').reached('provisioned');
    expect(run.begun).toEqual(['db', 'a', 'b']);
    await run.of('db').end();
    expect(run.begun).toEqual(['db', 'a', 'b', 'c']);
  });

  test('what waits for its own health takes no place either: others may have to be there for it', async () => {
    const run = startWork([machine('a'), machine('b'), machine('c')], { limit: 1 });
    run.of('a').reached('started');
    expect(run.begun).toEqual(['a']);
    run.of('a').reached('provisioned');
    expect(run.begun).toEqual(['a', 'b']);
    await run.of('a').end();
    expect(run.begun).toEqual(['a', 'b']);
    await run.of('b').end();
    expect(run.begun).toEqual(['a', 'b', 'c']);
  });

  test('no more than the limit at a time; what waits for others takes no place', async () => {
    const run = startWork([machine('web', { db: 'started' }), machine('db'), machine('a'), machine('b')], { limit: 2 });
    expect(run.begun).toEqual(['db', 'a']);
    run.of('db').reached('started');
    expect(run.begun).toEqual(['db', 'a']);
    await run.of('a').end();
    expect(run.begun).toEqual(['db', 'a', 'web']);
    await run.of('db').end();
    expect(run.begun).toEqual(['db', 'a', 'web', 'b']);
  });

  test('what waits aside takes no place, and has one again before others begin', async () => {
    const run = startWork([machine('a'), machine('b'), machine('c')], { limit: 1 });
    let goOn: (text: string) => void = () => {};
    const waits = run.of('a').waitAside(
      () =>
        new Promise<string>((resolve) => {
          goOn = resolve;
        }),
    );
    let hasGoneOn = false;
    waits.then(() => {
      hasGoneOn = true;
    });
    expect(run.begun).toEqual(['a', 'b']);
    goOn('waited');
    await new Promise(setImmediate);
    expect(hasGoneOn).toBe(false);
    await run.of('b').end();
    expect(await waits).toBe('waited');
    expect(run.begun).toEqual(['a', 'b']);
    await run.of('a').end();
    expect(run.begun).toEqual(['a', 'b', 'c']);
    await run.of('c').end();
    expect(await run.settled).toEqual(['A', 'B', 'C']);
  });

  test('a wait aside that fails gives its place to others', async () => {
    const run = startWork([machine('a'), machine('b'), machine('c')], { limit: 1 });
    const failure = new VmError('nobody comes');
    await expect(run.of('a').waitAside(() => Promise.reject(failure))).rejects.toBe(failure);
    expect(run.begun).toEqual(['a', 'b']);
    await run.of('a').fail(failure);
    expect(run.begun).toEqual(['a', 'b']);
    await run.of('b').end();
    expect(run.begun).toEqual(['a', 'b', 'c']);
    await run.of('c').end();
    expect(await run.settled).toBe(failure);
  });

  test('nothing to do', async () => {
    expect(await startWork([], { limit: 0 }).settled).toEqual([]);
  });
});

describe('failure', () => {
  test('stops only what depends on it, and all of that, told apart', async () => {
    const run = startWork([
      machine('lb', { web: 'started' }),
      machine('web', { db: 'healthy' }),
      machine('db'),
      machine('mail'),
    ]);
    await run.of('db').fail();
    expect(run.told).toEqual([
      { subject: 'web', because: 'db' },
      { subject: 'lb', because: 'db' },
    ]);
    await run.of('mail').end();
    const error = await run.settled;
    expect(run.begun).toEqual(['db', 'mail']);
    expect(error).toBeInstanceOf(SeveralFailedError);
    expect(error).toMatchObject({
      message: '1 machine failed: db; 2 skipped: web (needs db), lb (needs db)',
      failures: [{ subject: 'db', error: { message: 'db is bad' } }],
      skipped: run.told,
    });
  });

  test('after what was asked of it stops nothing; alone it is thrown as it is', async () => {
    const run = startWork([machine('web', { db: 'started' }), machine('db')], { limit: 1 });
    run.of('db').reached('started');
    await run.of('db').fail();
    expect(run.begun).toEqual(['db', 'web']);
    await run.of('web').end();
    expect(await run.settled).toMatchObject({ message: 'db is bad' });
    expect(run.told).toEqual([]);
  });

  test('stops nothing where nothing is to be skipped', async () => {
    const run = startWork([machine('web'), machine('db', { web: 'started' })], { skips: false });
    await run.of('web').fail();
    expect(run.begun).toEqual(['web', 'db']);
    await run.of('db').end();
    expect(await run.settled).toMatchObject({ message: 'web is bad' });
  });

  test('an interruption goes before all, and nobody is told of what did not begin for it', async () => {
    const run = startWork([machine('web', { db: 'started' }), machine('db'), machine('mail')]);
    await run.of('mail').fail();
    await run.of('db').fail(new InterruptedError());
    expect(await run.settled).toBeInstanceOf(InterruptedError);
    expect(run.told).toEqual([]);
    expect(run.begun).toEqual(['db', 'mail']);
  });
});
