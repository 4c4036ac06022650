import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ReportEvent } from '../../../../src/context.ts';
import { InterruptedError, VmError } from '../../../../src/errors.ts';
import { LayerStore } from '../../../../src/layers/layer-store.ts';
import type { StepChain } from '../../../../src/operations/layers/chain.ts';
import { takeLead } from '../../../../src/operations/layers/take-lead.ts';
import type { Services } from '../../../../src/operations/services.ts';
import { keyOf } from '../../../support/layers.ts';
import { machineSpec } from '../../../support/machine-spec.ts';

let homeDir: string;
let told: ReportEvent[];
let services: Services;
let abort: AbortController;

beforeEach(async () => {
  homeDir = await mkdtemp(join(tmpdir(), 'vm-lead-'));
  told = [];
  abort = new AbortController();
  const reporter = { report: (event: ReportEvent) => told.push(event) };
  // A cast: of the services only these are used.
  services = { layers: new LayerStore(homeDir), reporter, signal: abort.signal } as unknown as Services;
});

afterEach(() => rm(homeDir, { recursive: true }));

/** What a machine with one step would go through; the step is done in `doneCount` layers. */
function chain(doneCount: 0 | 1, digits = 'a'): StepChain {
  const facts = { spec: machineSpec({ name: 'web' }), nics: [], volumes: [] };
  const step = { step: { name: 'one' }, ready: { fingerprint: 'f' }, readDigests: [] };
  // A cast: only this much of it is looked at.
  return { facts, baseKey: keyOf(digits), steps: [step], doneCount } as unknown as StepChain;
}

const missing = async () => chain(0);
const texts = () => told.flatMap((event) => (event.type === 'message' ? [`${event.subject}: ${event.text}`] : []));
/** Names of the locks that are held. */
const locks = () => readdir(join(homeDir, 'locks')).catch(() => []);

test('nobody leads where nothing is kept, or all of it is there', async () => {
  expect(await takeLead({ machine: 'a', findChain: async () => undefined }, services)).toEqual({ chain: undefined });
  expect(await takeLead({ machine: 'a', findChain: async () => chain(1) }, services)).toEqual({ chain: chain(1) });
  expect(await locks()).toEqual([]);
});

test('the first leads; another waits aside, and begins with what is there then', async () => {
  const { lock } = await takeLead({ machine: 'a', findChain: missing }, services);
  let isThere = false;
  let isAside = false;
  const follower = takeLead(
    {
      machine: 'b',
      findChain: async () => chain(isThere ? 1 : 0),
      waitAside: (wait) => {
        isAside = true;
        return wait();
      },
    },
    services,
  );
  const words = `b: waiting for vm up of a (pid ${process.pid}), which makes the layers that it begins with`;
  await expect.poll(texts, { timeout: 5_000 }).toEqual([words]);
  expect(isAside).toBe(true);
  isThere = true;
  await lock?.[Symbol.asyncDispose]();
  expect(await follower).toEqual({ chain: chain(1) });
  expect(await locks()).toEqual([]);
});

test('what has other steps does not wait, and who waits leads when the leader has made nothing', async () => {
  const first = await takeLead({ machine: 'a', findChain: missing }, services);
  const other = await takeLead({ machine: 'c', findChain: async () => chain(0, 'b') }, services);
  expect(other.lock).toBeDefined();
  const next = takeLead({ machine: 'b', findChain: missing }, services);
  await first.lock?.[Symbol.asyncDispose]();
  expect((await next).lock).toBeDefined();
});

test('of several that come at once exactly one leads', async () => {
  let isThere = false;
  const findChain = async () => chain(isThere ? 1 : 0);
  const lead = async (machine: string) => {
    const { lock } = await takeLead({ machine, findChain }, services);
    if (lock !== undefined) isThere = true;
    await lock?.[Symbol.asyncDispose]();
    return lock !== undefined;
  };
  const leads = await Promise.all(['a', 'b', 'c', 'd'].map(lead));
  expect(leads.filter(Boolean)).toHaveLength(1);
});

test('no wait is for ever: who has waited long enough does the steps itself, and says so', async () => {
  const first = await takeLead({ machine: 'a', findChain: missing }, services);
  const { lock, chain: own } = await takeLead({ machine: 'b', findChain: missing, timeoutMs: 20 }, services);
  expect({ lock, own }).toEqual({ lock: undefined, own: chain(0) });
  expect(texts().at(-1)).toBe('b: has waited long enough for another machine, and does the steps itself');
  await first.lock?.[Symbol.asyncDispose]();
});

test('an interruption ends the wait', async () => {
  const first = await takeLead({ machine: 'a', findChain: missing }, services);
  const waits = takeLead({ machine: 'b', findChain: missing }, services);
  abort.abort();
  await expect(waits).rejects.toBeInstanceOf(InterruptedError);
  await first.lock?.[Symbol.asyncDispose]();
});

test('a second look that fails gives up the lead; what the first one has told is told once', async () => {
  let looks = 0;
  const findChain = async ({ reporter }: Services) => {
    reporter.report({ type: 'message', level: 'warning', subject: 'a', text: 'a layer is damaged' });
    if (++looks === 2) throw new VmError('a file is gone');
    return chain(0);
  };
  await expect(takeLead({ machine: 'a', findChain }, services)).rejects.toThrow('a file is gone');
  expect(texts()).toEqual(['a: a layer is damaged']);
  expect(await locks()).toEqual([]);
});
