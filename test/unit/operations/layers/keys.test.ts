import { expect, test } from 'vitest';
import type { Box } from '../../../../src/boxes/box.ts';
import type { Nic } from '../../../../src/machine/nics.ts';
import { baseKey, type MachineFacts, stepKey } from '../../../../src/operations/layers/keys.ts';
import { machineSpec } from '../../../support/machine-spec.ts';

const box = { key: 'a'.repeat(64), user: 'vm' } as Box;
const nic: Nic = {
  network: 'lab',
  networkId: 'n1',
  macAddress: '52:54:00:00:00:01',
  subnet: '10.1.2.0/24',
  address: '10.1.2.3',
  subnet6: undefined,
  address6: undefined,
  mtu: undefined,
};
const volume = { guestPath: '/data', uuid: 'u1' };
const facts: MachineFacts = {
  spec: machineSpec({ name: 'web', hostname: 'web' }),
  box,
  accel: 'tcg',
  diskBytes: 1024,
  nics: [nic],
  volumes: [volume],
};
const withSpec = (settings: Parameters<typeof machineSpec>[0], from = facts): MachineFacts => ({
  ...from,
  spec: { ...from.spec, ...settings },
});
const replica = (number: number) =>
  withSpec(
    { name: `web-${number}`, hostname: `web-${number}`, replica: { of: 'web', number } },
    { ...facts, nics: [{ ...nic, address: `10.1.2.${number}`, macAddress: `52:54:00:00:00:0${number}` }] },
  );
const step = { parent: 'p', fingerprint: 'f', readDigests: ['r'] };

test.each([
  ['another box', { ...facts, box: { ...box, key: 'b'.repeat(64) } }],
  ['another accelerator', { ...facts, accel: 'kvm' as const }],
  ['a larger disk', { ...facts, diskBytes: 2048 }],
  ['another login user', withSpec({ ssh: { ...facts.spec.ssh, user: 'eve' } })],
  ['a CPU model', withSpec({ cpu: 'Haswell' })],
  ['a disk of its own', withSpec({ disks: [{ name: 'd', sizeBytes: 1, format: 'qcow2', bus: 'virtio' }] })],
  ['arguments for QEMU', withSpec({ qemuArgs: ['-device', 'nvme'] })],
])('the first boot is another with %s', (_what, other) => {
  expect(baseKey(other)).not.toBe(baseKey(facts));
});

test.each([
  ['another name', withSpec({ name: 'db', hostname: 'db' })],
  ['more memory and processors', withSpec({ memoryBytes: 2 ** 40, cpus: 64 })],
  ['other ports', withSpec({ ports: [] })],
])('the first boot is the same with %s', (_what, other) => {
  expect(baseKey(other)).toBe(baseKey(facts));
});

test.each([
  ['another parent', { ...step, parent: 'q' }, facts],
  ['another script', { ...step, fingerprint: 'g' }, facts],
  ['another content of what it reads', { ...step, readDigests: ['s'] }, facts],
  ['another environment', step, withSpec({ environment: { A: '1' } })],
  ['another host name', step, withSpec({ hostname: 'db' })],
  ['another address', step, { ...facts, nics: [{ ...nic, address: '10.1.2.9' }] }],
  ['another network', step, { ...facts, nics: [{ ...nic, network: 'other' }] }],
  ['no way out', step, withSpec({ isIsolated: true })],
  ['a new volume', step, { ...facts, volumes: [{ ...volume, uuid: 'u2' }] }],
])('a step is another with %s', (_what, other, machine) => {
  expect(stepKey(other, machine)).not.toBe(stepKey(step, facts));
});

test('replicas of one machine share what their steps do, whatever is their own', () => {
  expect(stepKey(step, replica(1))).toBe(stepKey(step, replica(2)));
  expect(stepKey(step, replica(1))).not.toBe(stepKey(step, facts));
});

test('more memory, and the order of variables, change no step', () => {
  const one = withSpec({ environment: { A: '1', B: '2' } });
  const other = withSpec({ environment: { B: '2', A: '1' }, memoryBytes: 2 ** 40 });
  expect(stepKey(step, one)).toBe(stepKey(step, other));
});
