import { describe, expect, test } from 'vitest';
import { addCommands, createCommands } from '../../../../src/providers/qemu/disks.ts';
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

describe("a machine's own disks", () => {
  const disks = [
    { name: 'a', sizeBytes: GIB, format: 'qcow2', bus: 'virtio' },
    { name: 'b', sizeBytes: 1_000_001, format: 'raw', bus: 'usb' },
  ] as const;
  const makeA = `qemu-img create -q -f qcow2 /p/.vm/machines/web/own-a.qcow2 ${GIB}`;
  const makeB = 'qemu-img create -q -f raw /p/.vm/machines/web/own-b.raw 1000448';

  test('are made empty, of whole sectors, after those of the box', () => {
    const extraDisks = [{ path: '/boxes/tiny/disk-1.qcow2', virtualSizeBytes: 4096 }];
    expect(commands({ box: { extraDisks }, spec: { disks } }).slice(2)).toEqual([makeA, makeB]);
  });

  test.each([
    ['none', [], [makeA, makeB]],
    ['one', [{ name: 'a', format: 'qcow2' } as const], [makeB]],
    // Another format is an error when the machine starts, not a reason to make the disk again.
    ['both, one in another format', disks.map(({ name }) => ({ name, format: 'raw' }) as const), []],
  ])('are made when there are new ones: %s made before', (_what, madeDisks, expected) => {
    const added = addCommands(machinePlan({ spec: { disks }, madeDisks }));
    expect(added.map(({ file, args }) => [file, ...args].join(' '))).toEqual(expected);
  });
});

test('without a box there is one empty disk; UEFI has its variables', () => {
  expect(commands({ box: null, spec: { firmware: 'uefi' } })).toEqual([
    `qemu-img create -q -f qcow2 /p/.vm/machines/web/disk.qcow2 ${20 * GIB}`,
    'qemu-img convert -f raw -O qcow2 /fw/vars.fd /p/.vm/machines/web/nvram.qcow2',
  ]);
});
