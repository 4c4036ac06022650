import { expect, test } from 'vitest';
import type { PortForward } from '../../../../src/machine/record.ts';
import type { PortSpec } from '../../../../src/machinefile/spec.ts';
import { wantedPorts } from '../../../../src/operations/ports/wanted-ports.ts';
import { machineSpec } from '../../../support/machine-spec.ts';

const declared: PortSpec = { hostIp: '127.0.0.1', host: 8080, guest: 80, protocol: 'tcp', autoCorrect: false };
const forward: PortForward = { hostIp: '127.0.0.1', host: 8080, guest: 80, protocol: 'tcp' };

function wanted(ports: readonly PortSpec[], forwards: readonly PortForward[]) {
  return wantedPorts(machineSpec({ ports }), forwards).map(({ host, guest, addedAs }) => [host, guest, addedAs]);
}

test('those of the Machinefile, then those that were added; a chosen host port may be chosen again', () => {
  const added: PortForward[] = [
    { ...forward, host: 9090, guest: 90, addedAs: 'given' },
    { ...forward, host: 25_000, guest: 91, addedAs: 'chosen' },
  ];
  expect(wanted([declared], [forward, ...added])).toEqual([
    [8080, 80, undefined],
    [9090, 90, 'given'],
    [undefined, 91, 'chosen'],
  ]);
});

test('what the record has of the Machinefile goes with it', () => {
  expect(wanted([], [forward])).toEqual([]);
});

test('one that was added and came into the Machinefile is the Machinefile’s', () => {
  expect(wanted([declared], [{ ...forward, addedAs: 'given' }])).toEqual([[8080, 80, undefined]]);
  const free = { ...declared, host: undefined };
  expect(wanted([free], [{ ...forward, addedAs: 'chosen' }])).toEqual([[undefined, 80, undefined]]);
});

test('one host port for two things is told, unless the Machinefile’s may be replaced', () => {
  const added = { ...forward, hostIp: '0.0.0.0', guest: 81, addedAs: 'given' } as const;
  expect(() => wanted([declared], [added])).toThrow(
    'host port 8080 of web is wanted twice: the Machinefile says 127.0.0.1:8080 → 80, vm port add said 0.0.0.0:8080 → 81',
  );
  expect(wanted([{ ...declared, autoCorrect: true }], [added])).toHaveLength(2);
  expect(wanted([declared], [{ ...added, protocol: 'udp' }])).toHaveLength(2);
});
