import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { machineLayout } from '../../../../src/machine/layout.ts';
import type { MachineRecord } from '../../../../src/machine/record.ts';
import type { Services } from '../../../../src/operations/services.ts';
import { letRunOn, settledState } from '../../../../src/operations/suspend/settled-state.ts';
import type { ObservedState } from '../../../../src/providers/provider.ts';
import { FakeGuest, fakeServices } from '../../../support/fake-services.ts';

const process = { pid: 7, startTicks: '1' };
const suspended: ObservedState = { kind: 'suspended' };
const record = { id: 'i', machine: 'm', provider: 'qemu', runtimeDir: '/nonexistent' } as MachineRecord; // all that is read

let dir: string;
const machine = () => ({ record, layout: machineLayout(dir) });

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vm-settle-'));
});

afterEach(() => rm(dir, { recursive: true }));

/** A provider that sees these states, one after the other; gives what it was told to do. */
function providerOf(...states: readonly ObservedState[]): { services: Services; told: string[] } {
  const services = fakeServices(dir, new FakeGuest());
  const told: string[] = [];
  const left = [...states];
  const qemu: Services['providers']['qemu'] = {
    ...services.providers.qemu,
    state: async () => left.shift() ?? { kind: 'stopped' },
    stop: async (_machine, { force }) => {
      told.push(force ? 'stop by force' : 'stop');
      return { outcome: 'quit', lastFigures: undefined };
    },
    unpause: async () => void told.push(`unpause, facts ${existsSync(join(dir, 'memory.json')) ? 'there' : 'gone'}`),
  };
  return { services: { ...services, providers: { qemu } }, told };
}

test('a hypervisor that was given a memory, and has not let the guest run, is ended: the memory is as good as before', async () => {
  const { services, told } = providerOf({ kind: 'restoring', process }, suspended);
  expect(await settledState(machine(), services)).toEqual(suspended);
  expect(told).toEqual(['stop by force']);
});

test.each<ObservedState>([
  { kind: 'running', process },
  { kind: 'paused', process, reason: 'postmigrate' },
  suspended,
  { kind: 'stopped' },
  { kind: 'broken', reason: 'its disk is gone' },
])('nobody touches a machine that is $kind', async (state) => {
  const { services, told } = providerOf(state);
  expect(await settledState(machine(), services)).toEqual(state);
  expect(told).toEqual([]);
});

test('one that cannot be ended is not taken for suspended', async () => {
  const { services } = providerOf({ kind: 'restoring', process }, { kind: 'restoring', process });
  await expect(settledState(machine(), services)).rejects.toThrow('m is being restored by somebody else');
});

test('before a guest runs on, its memory is forgotten', async () => {
  for (const name of ['memory.json', 'memory.state', 'memory.state.new']) await writeFile(join(dir, name), 'x');
  const { services, told } = providerOf();
  await letRunOn(machine(), services);
  expect(told).toEqual(['unpause, facts gone']);
  for (const name of ['memory.state', 'memory.state.new']) expect(existsSync(join(dir, name))).toBe(false);
});
