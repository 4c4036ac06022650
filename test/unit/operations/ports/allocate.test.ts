import { expect, test } from 'vitest';
import type { PortForward } from '../../../../src/machine/record.ts';
import { allocateForwards, type ForwardRequest } from '../../../../src/operations/ports/allocate.ts';
import type { WantedPort } from '../../../../src/operations/ports/wanted-ports.ts';
import { PortTakenError } from '../../../../src/providers/provider.ts';

/** An address of no host: what is not held cannot be had there. */
const NOWHERE = '192.0.2.1';

const want: WantedPort = { hostIp: NOWHERE, host: 8080, guest: 80, protocol: 'tcp', autoCorrect: false };
const forward: PortForward = { hostIp: NOWHERE, host: 8080, guest: 80, protocol: 'tcp' };

function allocate(wanted: readonly WantedPort[], given: Partial<ForwardRequest> = {}): Promise<PortForward[]> {
  const id = '11111111-2222-4333-8444-555555555555';
  const nothing = { previous: [], held: [], beside: [], reserved: new Set<number>() };
  return allocateForwards({ machine: 'web', machineId: id, wanted, ...nothing, ...given });
}

test('what the machine has open itself is not in its way, also on another address', async () => {
  expect(await allocate([want], { held: [forward] })).toEqual([forward]);
  const everywhere = { ...want, hostIp: '0.0.0.0' };
  expect(await allocate([everywhere], { held: [forward] })).toEqual([{ ...forward, hostIp: '0.0.0.0' }]);
});

test('a port that cannot be had', async () => {
  const error = await allocate([want]).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(PortTakenError);
  expect(error).toMatchObject({ address: { hostIp: NOWHERE, port: 8080, protocol: 'tcp' } });
});

test('a chosen port is kept, with where it comes from', async () => {
  const chosen: PortForward = { ...forward, host: 25_000, addedAs: 'chosen' };
  const wanted: WantedPort = { ...want, host: undefined, addedAs: 'chosen' };
  expect(await allocate([wanted], { previous: [chosen], held: [chosen] })).toEqual([chosen]);
});

test('a chosen port is not kept for two, and is none that is wanted by its number', async () => {
  const free: WantedPort = { ...want, hostIp: '127.0.0.1', host: undefined };
  const before: PortForward = { ...forward, hostIp: '127.0.0.1' };
  const request = { previous: [before], held: [before] };
  const [first, second, ...more] = await allocate([free, free], request);
  expect(first).toEqual(before);
  expect(second?.host).not.toBe(8080);
  expect(more).toEqual([]);
  const [other, fixed] = await allocate([free, { ...free, host: 8080 }], request);
  expect(other?.host).not.toBe(8080);
  expect(fixed).toEqual(before);
});

test('reserved ports are not chosen', async () => {
  const free: WantedPort = { ...want, hostIp: '127.0.0.1', host: undefined };
  const [first] = await allocate([free]);
  const [second] = await allocate([free], { reserved: new Set([first?.host ?? 0]) });
  expect(second?.host).not.toBe(first?.host);
});

test('auto_correct: the port asked for; else the one before; and no going back while that is open', async () => {
  const wanted: WantedPort = { ...want, autoCorrect: true };
  const instead: PortForward = { ...forward, host: 25_000, insteadOf: 8080 };
  expect(await allocate([wanted], { held: [forward] })).toEqual([forward]);
  expect(await allocate([wanted], { previous: [instead], held: [instead] })).toEqual([instead]);
  expect(await allocate([wanted], { previous: [instead], held: [instead, forward] })).toEqual([instead]);
  const another: WantedPort = { ...wanted, host: 9090 };
  expect(await allocate([another], { previous: [instead], held: [{ ...forward, host: 9090 }] })).toEqual([
    { ...forward, host: 9090 },
  ]);
});
