import { expect, test } from 'vitest';
import { wakeLine } from '../../../../src/operations/warm/agent.ts';
import { warmObstacle } from '../../../../src/operations/warm/obstacle.ts';
import { machineSpec } from '../../../support/machine-spec.ts';

test.each([
  [{ volumes: [{ name: 'data', guestPath: '/data' }] }, 'its guest has volumes mounted'],
  [{ qemuArgs: ['-device', 'virtio-balloon-pci'] }, 'qemu.args may tie it to this host'],
  [{ display: 'vnc' }, 'it has a screen'],
  [{ firmware: 'uefi' }, 'only x86_64 with BIOS is known to go on'],
  [{}, 'it is installed by hand'],
] as const)('%j: %s', (overrides, reason) => {
  expect(warmObstacle(machineSpec(overrides), undefined)).toBe(reason);
});

const ID = 'ab12cd34-2222-4333-8444-555555555555';

test('a guest is told the time, its id and addresses, and a noise that no other guest is told', () => {
  const line = wakeLine(ID, [{ from: '52:54:00:00:00:01', to: '52:54:00:00:00:02' }]);
  const [seconds, microseconds, noise, id, ...cards] = line.split(' ');
  expect(Math.abs(Number(seconds) * 1000 + Number(microseconds) / 1000 - Date.now())).toBeLessThan(1000);
  expect(noise).toMatch(/^[0-9a-f]{128}$/);
  expect(noise).not.toBe(wakeLine(ID, []).split(' ')[2]);
  expect(id).toBe(ID.replaceAll('-', ''));
  expect(cards).toEqual(['52:54:00:00:00:01=52:54:00:00:00:02']);
});
