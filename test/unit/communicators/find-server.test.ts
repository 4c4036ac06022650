import { Socket } from 'node:net';
import { expect, test } from 'vitest';
import type { BannerProbe, ProbeOutcome } from '../../../src/communicators/banner-probe.ts';
import { findServer } from '../../../src/communicators/find-server.ts';
import { InterruptedError } from '../../../src/errors.ts';

/** What a connection comes to: at once, or never. */
type Script = readonly (ProbeOutcome | 'hangs')[];

/** Plays the connections one after another; time passes only where nothing else can happen. */
function world(script: Script) {
  const abandoned: number[] = [];
  const pauses: number[] = [];
  let opened = 0;
  return {
    abandoned,
    pauses,
    opened: () => opened,
    deps: {
      openProbe(): BannerProbe {
        const index = opened++;
        const outcome = script[index] ?? 'hangs';
        return {
          outcome: outcome === 'hangs' ? new Promise(() => {}) : Promise.resolve(outcome),
          abandon: () => abandoned.push(index),
        };
      },
      async pause(ms: number, signal: AbortSignal): Promise<void> {
        await new Promise(setImmediate); // outcomes that are there go first
        if (signal.aborted) throw new InterruptedError();
        pauses.push(ms);
      },
    },
  };
}

const address = { hostIp: '127.0.0.1', port: 22 };
const never = new AbortController().signal;

/** A guest whose network card stays as it is. */
const silent = { signal: never, isBooting: false, networkMark: async () => '' };

test('the first server that answers is taken, and left alone', async () => {
  const socket = new Socket();
  const { deps, abandoned, opened } = world([socket]);
  expect(await findServer(address, silent, deps)).toBe(socket);
  expect([opened(), abandoned]).toEqual([1, []]);
});

test('beside a connection that hangs the next is tried after 10 s; what still hangs in the end is abandoned', async () => {
  const socket = new Socket();
  const { deps, pauses, abandoned } = world(['hangs', 'hangs', socket]);
  expect(await findServer(address, silent, deps)).toBe(socket);
  expect(pauses).toEqual(Array(100).fill(200));
  expect(abandoned).toEqual([0, 1]);
});

test('where the network card cannot be watched, the next is tried after 3 s', async () => {
  const { deps, pauses } = world(['hangs', new Socket()]);
  await findServer(address, { ...silent, networkMark: async () => undefined }, deps);
  expect(pauses).toEqual(Array(15).fill(200));
});

test('a machine that was just started is not tried before it touches its network card', async () => {
  const marks = ['reset', 'reset', 'reset', 'up'];
  const { deps, pauses, opened } = world([new Socket()]);
  await findServer(address, { ...silent, isBooting: true, networkMark: async () => marks.shift() }, deps);
  expect([pauses, opened()]).toEqual([Array(3).fill(200), 1]);
});

test('a machine that was just started and never touches its network card is tried after 10 s', async () => {
  const { deps, pauses } = world([new Socket()]);
  await findServer(address, { ...silent, isBooting: true }, deps);
  expect(pauses).toEqual(Array(50).fill(200));
});

test('a guest that sets up its network card is tried at once', async () => {
  const marks = ['reset', 'reset', undefined, 'reset', 'up'];
  const { deps, pauses } = world(['hangs', new Socket()]);
  await findServer(address, { ...silent, networkMark: async () => marks.shift() }, deps);
  expect(pauses).toEqual(Array(4).fill(200));
});

test('only some are left hanging', async () => {
  const { deps, abandoned } = world([...Array<'hangs'>(8).fill('hangs'), new Socket()]);
  await findServer(address, silent, deps);
  expect(abandoned).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test('connections that are turned down are tried again with growing pauses', async () => {
  const { deps, pauses } = world([...Array<'closed'>(20).fill('closed'), new Socket()]);
  await findServer(address, silent, deps);
  expect(pauses.slice(0, 3)).toEqual([20, 25, 31.25]);
  expect(pauses.at(-1)).toBe(250);
});

test('once the guest has answered, a connection that hangs gets its time', async () => {
  const { deps, pauses } = world(['closed', 'hangs', new Socket()]);
  await findServer(address, silent, deps);
  expect(pauses).toEqual([20, 1500]);
});

test('once the guest has answered, none that hangs is given up, and each next one waits longer', async () => {
  const { deps, pauses, abandoned } = world(['closed', ...Array<'hangs'>(8).fill('hangs'), new Socket()]);
  await findServer(address, silent, deps);
  expect(pauses).toEqual([20, 1500, 3000, 6000, 12_000, 24_000, 30_000, 30_000, 30_000]);
  expect(abandoned).toEqual([1, 2, 3, 4, 5, 6, 7, 8]); // in the end
});

test('a server that turns one away while others hang is not asked again at once', async () => {
  const { deps, pauses, opened } = world(['closed', 'hangs', 'closed', new Socket()]);
  await findServer(address, silent, deps);
  expect([pauses, opened()]).toEqual([[20, 1500, 3000], 4]);
});

test('one that was opened before the guest answered keeps no other from being tried at once', async () => {
  const { deps, pauses } = world(['hangs', 'closed', 'closed', new Socket()]);
  await findServer(address, { ...silent, networkMark: async () => undefined }, deps);
  expect(pauses).toEqual([...Array(15).fill(200), 20, 25]);
});

test('a port with nobody behind it says nothing of the guest', async () => {
  const { deps, pauses } = world(['refused', 'hangs', new Socket()]);
  await findServer(address, silent, deps);
  expect(pauses).toEqual([20, ...Array(50).fill(200)]);
});

test('an interruption ends the search and every connection', async () => {
  const { deps, abandoned } = world([]);
  await expect(findServer(address, { ...silent, signal: AbortSignal.abort() }, deps)).rejects.toThrow(InterruptedError);
  expect(abandoned).toEqual([0]);
});
