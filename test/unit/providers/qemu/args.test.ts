import { describe, expect, test } from 'vitest';
import type { DiskSpec, MachineSpec } from '../../../../src/machinefile/spec.ts';
import { qemuCommand } from '../../../../src/providers/qemu/args.ts';
import { checkDiskPlaces } from '../../../../src/providers/qemu/disk-args.ts';
import { machinePlan, type PlanOverrides } from '../../../support/machine-spec.ts';

const UEFI = { codePath: '/fw/code.fd', variablesPath: '/fw/vars.fd' };

function argv(overrides: PlanOverrides = {}): string {
  const plan = machinePlan(overrides);
  return qemuCommand(plan, plan.spec.firmware === 'uefi' ? UEFI : undefined).args.join(' ');
}

/** What a setting puts on the command line. */
const cases: readonly [what: string, overrides: PlanOverrides, expected: string][] = [
  ['the UUID marks the process as ours', {}, '-uuid 11111111-2222-4333-8444-555555555555'],
  ['no devices by default', {}, '-nodefaults -no-user-config'],
  ['a monitor, by an option that QEMU 7.2 to 11 take', {}, '-qmp unix:/run/vm/1111/qmp.sock,server=on,wait=off '],
  ['the whole sandbox', {}, '-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
  ['q35 with nothing that is not needed', {}, '-machine q35,vmport=off,smbus=off,sata=off '],
  ['a SATA bus for a cdrom', { spec: { cdromPath: '/a.iso' } }, '-machine q35,vmport=off,smbus=off -'],
  ['a machine type', { spec: { machineType: 'pc' } }, '-machine pc '],
  ['emulation on all cores', {}, '-accel tcg,thread=multi -cpu max,-svm,-la57 '],
  ['a CPU model', { spec: { cpu: 'Nehalem' } }, '-cpu Nehalem'],
  ['cpus', { spec: { cpus: 4 } }, '-smp 4'],
  ['memory, rounded up to MiB', { spec: { memoryBytes: 1_000_000_000 } }, '-m size=954M'],
  ['SSH on loopback', {}, 'user,id=user,hostfwd=tcp:127.0.0.1:20022-:22'],
  ['a stable MAC address, no network boot', {}, 'mac=52:54:00:11:11:11,romfile='],
  ['direct kernel boot', {}, '-kernel /boxes/tiny/vmlinux -initrd /boxes/tiny/initrd.img -append console=ttyS0'],
  ['a kernel that UEFI can unpack', { spec: { firmware: 'uefi' } }, '-kernel /boxes/tiny/vmlinuz '],
  ['the seed of our own boxes', {}, '-fw_cfg name=opt/machinefile/seed,file=/p/.vm/machines/web/seed.tar'],
  ['the seed of other boxes', { box: { seed: 'cloud-init' } }, '"label":"CIDATA"'],
  ['the boot order, without a kernel', { box: { kernel: undefined } }, 'drive=root,bootindex=0'],
  ['no screen', {}, '-display none'],
  [
    'a VNC server only its owner reaches',
    { spec: { display: 'vnc' } },
    '-display vnc=unix:/run/vm/1111/vnc.sock -vga std',
  ],
  ['a screen for a machine installed by hand', { box: null }, '-vga std'],
  ['UEFI variables as qcow2', { spec: { firmware: 'uefi' } }, 'pflash0=firmware-code,pflash1=firmware-variables'],
  ['further arguments last', { spec: { qemuArgs: ['-snapshot'] } }, '-display none -snapshot'],
];

test.each(cases)('%s', (_what, overrides, expected) => {
  expect(`${argv(overrides)} `).toContain(expected);
});

test('from an isolated guest nobody is reached, though SSH leads into it', () => {
  expect(argv({ spec: { isIsolated: true } })).toContain('user,id=user,restrict=on,hostfwd=tcp:127.0.0.1:20022-:22');
});

test('cards on private networks come after the one by which vm reaches the guest', () => {
  const nic = {
    network: 'lab',
    subnet: '10.7.0.0/24',
    address: '10.7.0.2',
    subnet6: undefined,
    address6: undefined,
    mtu: undefined,
  };
  const nics = [
    {
      ...nic,
      networkId: 'aa',
      macAddress: '52:54:00:00:00:01',
      segment: { kind: 'vde', switchDir: '/run/vm/net-aa' } as const,
    },
    {
      ...nic,
      networkId: 'bb',
      macAddress: '52:54:00:00:00:02',
      segment: { kind: 'multicast', group: '239.1.2.3', port: 10_001 } as const,
    },
  ];
  expect(argv({ nics })).toContain(
    [
      'netdev=user,mac=52:54:00:11:11:11,romfile=',
      '-netdev vde,id=net-aa,sock=/run/vm/net-aa',
      '-device virtio-net-pci,id=net-aa-nic,netdev=net-aa,mac=52:54:00:00:00:01,romfile=',
      '-netdev socket,id=net-bb,mcast=239.1.2.3:10001,localaddr=127.0.0.1',
      '-device virtio-net-pci,id=net-bb-nic,netdev=net-bb,mac=52:54:00:00:00:02,romfile=',
    ].join(' '),
  );
});

test('with a kernel of the box there is no boot order to give', () => {
  expect(argv()).not.toContain('bootindex');
});

test('a cdrom that comes first is booted instead of the kernel of the box', () => {
  const args = argv({ spec: { cdromPath: '/iso/a.iso', boot: ['cdrom', 'disk'] } });
  expect(args).not.toContain('-kernel');
  expect(args).toContain('ide-cd,id=cdrom-drive,drive=cdrom,bootindex=0');
  expect(args).toContain('drive=root,bootindex=1');
});

test('the disks of a box come first, in their order, since guests name them by it; only the root disk is booted', () => {
  const extraDisks = [1, 2].map((n) => ({ path: `/boxes/app/disk-${n}.qcow2`, virtualSizeBytes: 2 ** 30 }));
  const args = argv({
    box: { seed: 'cloud-init', kernel: undefined, extraDisks },
    spec: { cdromPath: '/a.iso', display: 'vnc' },
  });
  const devices = [...args.matchAll(/ -device (\S+)/g)].map(([, device]) => device);
  expect(devices.slice(0, 3)).toEqual([
    'virtio-blk-pci,id=root-disk,drive=root,bootindex=0',
    'virtio-blk-pci,id=extra-1-disk,drive=extra-1',
    'virtio-blk-pci,id=extra-2-disk,drive=extra-2',
  ]);
  expect(devices.slice(3)).toContain('virtio-blk-pci,id=seed-disk,drive=seed');
  expect(args).toContain(
    '{"node-name":"extra-2","driver":"qcow2","discard":"unmap","detect-zeroes":"unmap","file":{"driver":"file","filename":"/p/.vm/machines/web/disk-2.qcow2","discard":"unmap"}}',
  );
});

describe("a machine's own disks", () => {
  const disk = (name: string, rest: Partial<DiskSpec> = {}): DiskSpec => ({
    ...{ name, sizeBytes: 2 ** 30, format: 'qcow2', bus: 'virtio' },
    ...rest,
  });
  const devices = (spec: Partial<MachineSpec>) =>
    [...argv({ spec }).matchAll(/ -device (\S+)/g)].map(([, device]) => device);

  test.each<[DiskSpec['bus'], string[]]>([
    ['virtio', ['virtio-blk-pci,id=own-a-disk,drive=own-a,serial=a']],
    ['nvme', ['nvme,id=own-a-disk,drive=own-a,serial=a']],
    ['scsi', ['virtio-scsi-pci,id=scsi', 'scsi-hd,bus=scsi.0,id=own-a-disk,drive=own-a,serial=a']],
    ['sata', ['ich9-ahci,id=sata-0', 'ide-hd,bus=sata-0.0,id=own-a-disk,drive=own-a,serial=a']],
    ['usb', ['qemu-xhci,id=usb,p2=15,p3=15', 'usb-storage,bus=usb.0,port=1,id=own-a-disk,drive=own-a,serial=a']],
  ])('on %s', (bus, expected) => {
    const given = devices({ disks: [disk('a', { bus })] });
    expect(given.slice(1, 1 + expected.length)).toEqual(expected);
    expect(given).toHaveLength(devices({}).length + expected.length);
  });

  test('come after those of the box and the cdrom, in their order; each has a place on its bus', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const disks = [
      ...names.map((name) => disk(name, { bus: 'sata' })),
      disk('h'),
      disk('i', { bus: 'usb' }),
      disk('j'),
    ];
    expect(devices({ disks, cdromPath: '/a.iso' }).slice(0, 15)).toEqual([
      'virtio-blk-pci,id=root-disk,drive=root',
      'ide-cd,id=cdrom-drive,drive=cdrom',
      'ich9-ahci,id=sata-0',
      'ich9-ahci,id=sata-1',
      'qemu-xhci,id=usb,p2=15,p3=15',
      ...['a', 'b', 'c', 'd', 'e', 'f'].map(
        (name, i) => `ide-hd,bus=sata-0.${i},id=own-${name}-disk,drive=own-${name},serial=${name}`,
      ),
      'ide-hd,bus=sata-1.0,id=own-g-disk,drive=own-g,serial=g',
      'virtio-blk-pci,id=own-h-disk,drive=own-h,serial=h',
      'usb-storage,bus=usb.0,port=1,id=own-i-disk,drive=own-i,serial=i',
      'virtio-blk-pci,id=own-j-disk,drive=own-j,serial=j',
    ]);
  });

  test('are read in their format, and in no other', () => {
    expect(argv({ spec: { disks: [disk('a', { format: 'raw' })] } })).toContain(
      '{"node-name":"own-a","driver":"raw","discard":"unmap","detect-zeroes":"unmap","file":{"driver":"file","filename":"/p/.vm/machines/web/own-a.raw","discard":"unmap"}}',
    );
  });

  test('have places on PCI only up to a number; SCSI takes one for all', () => {
    const extraDisks = Array.from({ length: 15 }, () => ({ path: '/b', virtualSizeBytes: 512 }));
    const check = (count: number, bus: DiskSpec['bus']) =>
      checkDiskPlaces(
        machinePlan({
          box: { extraDisks },
          spec: { disks: Array.from({ length: count }, (_, i) => disk(`d${i}`, { bus })) },
        }),
      );
    check(4, 'nvme');
    check(15, 'scsi');
    expect(() => check(5, 'virtio')).toThrow(/^web: with those of its box it has 21 disks on virtio and nvme/);
  });
});

describe('volumes', () => {
  const volume = { name: 'pgdata', label: 'vm-pgdata', guestPath: '/srv', path: '/p/volume.raw', sizeBytes: undefined };

  test('are behind all other devices, and keep what the guest has flushed', () => {
    const disk =
      '{"node-name":"volume-vm-pgdata","driver":"raw","discard":"unmap","detect-zeroes":"unmap","file":{"driver":"file","filename":"/p/volume.raw","discard":"unmap"}}';
    const device = 'virtio-blk-pci,id=volume-vm-pgdata-disk,drive=volume-vm-pgdata,serial=vm-pgdata';
    const command = argv({ volumes: [volume], spec: { qemuArgs: ['-snapshot'] } });
    expect(command.slice(command.indexOf('vmgenid'))).toBe(
      `vmgenid,guid=auto -display none -blockdev ${disk} -device ${device} -snapshot`,
    );
  });

  test('take places on PCI, too', () => {
    const volumes = Array.from({ length: 20 }, () => volume);
    expect(() => checkDiskPlaces(machinePlan({ volumes }))).toThrow(
      /^web: with those of its box and its volumes it has 21 disks/,
    );
  });
});

test('an odd project path reaches QEMU whole: JSON for disks, doubled commas elsewhere', () => {
  const args = argv({ machineDir: '/a, "b"/.vm/machines/web' });
  expect(args).toContain('"filename":"/a, \\"b\\"/.vm/machines/web/disk.qcow2"');
  expect(args).toContain('file=/a,, "b"/.vm/machines/web/seed.tar');
  expect(args).toContain('logfile=/a,, "b"/.vm/machines/web/serial.log');
});

test('the same plan gives the same command', () => {
  expect(qemuCommand(machinePlan(), undefined)).toEqual(qemuCommand(machinePlan(), undefined));
});
