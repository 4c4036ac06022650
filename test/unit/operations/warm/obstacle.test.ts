import { expect, test } from 'vitest';
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
