import { expect, test } from 'vitest';
import { createCommands } from '../../../../src/providers/qemu/disks.ts';
import { machinePlan, type PlanOverrides } from '../../../support/machine-spec.ts';

const UEFI = { codePath: '/fw/code.fd', variablesPath: '/fw/vars.fd' };
const GIB = 1024 ** 3;

function commands(overrides: PlanOverrides): string[] {
  const plan = machinePlan(overrides);
  const uefi = plan.spec.firmware === 'uefi' ? UEFI : undefined;
  return createCommands(plan, uefi).map(({ file, args }) => [file, ...args].join(' '));
}

test('every disk of a box gets an overlay of its size; disk: is for the root disk alone', () => {
  const extraDisks = [
    { path: '/boxes/tiny/disk-1.qcow2', virtualSizeBytes: 3 * GIB },
    { path: '/boxes/tiny/disk-2.qcow2', virtualSizeBytes: 4096 },
  ];
  expect(commands({ box: { extraDisks }, spec: { diskBytes: 5 * GIB } })).toEqual([
    `qemu-img create -q -f qcow2 -b /boxes/tiny/disk.qcow2 -F qcow2 /p/.vm/machines/web/disk.qcow2 ${5 * GIB}`,
    `qemu-img create -q -f qcow2 -b /boxes/tiny/disk-1.qcow2 -F qcow2 /p/.vm/machines/web/disk-1.qcow2 ${3 * GIB}`,
    'qemu-img create -q -f qcow2 -b /boxes/tiny/disk-2.qcow2 -F qcow2 /p/.vm/machines/web/disk-2.qcow2 4096',
  ]);
});

test('without a box there is one empty disk; UEFI has its variables', () => {
  expect(commands({ box: null, spec: { firmware: 'uefi' } })).toEqual([
    `qemu-img create -q -f qcow2 /p/.vm/machines/web/disk.qcow2 ${20 * GIB}`,
    'qemu-img convert -f raw -O qcow2 /fw/vars.fd /p/.vm/machines/web/nvram.qcow2',
  ]);
});
