import type { BoxKernel } from '../../boxes/box.ts';
import type { HostCommand } from '../../host/exec.ts';
import type { OpenPort } from '../../machine/forwards.ts';
import type { ConnectedNic, Nic } from '../../machine/nics.ts';
import type { MachinePlan } from '../../machine/plan.ts';
import type { Accelerator, Arch, BootDevice } from '../../machinefile/spec.ts';
import { netdevArgument, netdevId } from '../../networks/segment.ts';
import { blockdev } from './blockdev.ts';
import { boxDiskArgs, ownDiskArgs, volumeArgs } from './disk-args.ts';
import type { FirmwareImages } from './firmware.ts';
import { forwardRule, NETDEV_ID } from './hostfwd.ts';

const BYTES_PER_MIB = 1024 * 1024;

/** The QEMU program for a guest architecture. */
export function qemuBinary(arch: Arch): string {
  return `qemu-system-${arch}`;
}

/**
 * The command that starts the machine: a pure function of the plan, and of where this host keeps UEFI for those that
 * boot by it. Every option is here and nowhere else.
 */
export function qemuCommand(plan: MachinePlan, uefi: FirmwareImages | undefined): HostCommand {
  return {
    file: qemuBinary(plan.spec.arch),
    args: [
      ...identityArgs(plan),
      ...platformArgs(plan, uefi),
      ...sandboxArgs(),
      ...controlArgs(plan),
      ...boxDiskArgs(plan, bootIndex(plan, 'disk')),
      ...cdromArgs(plan),
      ...ownDiskArgs(plan),
      ...kernelArgs(plan),
      ...networkArgs(plan),
      ...plan.nics.flatMap(nicArgs),
      ...(plan.ram?.use === 'template' ? plan.ram.nics.flatMap(unconnectedNicArgs) : []),
      ...seedArgs(plan),
      ...entropyArgs(),
      ...displayArgs(plan),
      ...volumeArgs(plan),
      ...plan.spec.qemuArgs,
    ],
  };
}

/** QEMU splits option values at commas; a doubled comma is a literal one. */
function escapeCommas(value: string): string {
  return value.replaceAll(',', ',,');
}

function identityArgs({ id, spec, layout }: MachinePlan): string[] {
  return ['-name', `guest=${spec.name}`, '-uuid', id, '-pidfile', layout.pidPath];
}

function platformArgs(plan: MachinePlan, uefi: FirmwareImages | undefined): string[] {
  const { spec, accel } = plan;
  return [
    '-nodefaults',
    '-no-user-config',
    '-machine',
    [machineType(plan), ...(uefi ? PFLASH_PROPERTIES : []), ...(plan.ram ? ['memory-backend=ram'] : [])].join(','),
    ...(uefi ? firmwareArgs(plan, uefi) : []),
    '-accel',
    accel === 'tcg' ? 'tcg,thread=multi' : accel,
    '-cpu',
    spec.cpu ?? defaultCpu(accel),
    '-smp',
    String(spec.cpus),
    '-m',
    `size=${memorySize(plan)}`,
    ...ramArgs(plan),
  ];
}

function memorySize({ spec }: MachinePlan): string {
  return `${Math.ceil(spec.memoryBytes / BYTES_PER_MIB)}M`;
}

/** A copy is private to its machine: QEMU maps the file so that what is written is not in it. */
function ramArgs(plan: MachinePlan): string[] {
  const { ram } = plan;
  if (ram === undefined) return [];
  const share = ram.use === 'template' ? 'on' : 'off';
  return [
    '-object',
    `memory-backend-file,id=ram,size=${memorySize(plan)},share=${share},mem-path=${escapeCommas(ram.path)}`,
  ];
}

function machineType({ spec }: MachinePlan): string {
  if (spec.machineType !== undefined) return spec.machineType;
  if (spec.arch === 'aarch64') return 'virt';
  // Devices that nobody asked for cost an emulated guest seconds: it loads and probes their drivers.
  return ['q35', 'vmport=off', 'smbus=off', ...(spec.cdromPath === undefined ? ['sata=off'] : [])].join(',');
}

/**
 * Without AMD's virtualisation, which QEMU emulates: guests would load KVM for it, which takes seconds. And without
 * five-level page tables: with QEMU 7.2 the programs of guests that use them crash when there is no `svm` (measured;
 * a kernel uses them unless QEMU starts it through PVH).
 */
function defaultCpu(accel: Accelerator): string {
  return accel === 'tcg' ? 'max,-svm,-la57' : 'host';
}

const PFLASH_PROPERTIES = ['pflash0=firmware-code', 'pflash1=firmware-variables'];

/** The variables are qcow2, not raw: raw writable pflash forbids snapshots with memory. */
function firmwareArgs({ layout }: MachinePlan, { codePath }: FirmwareImages): string[] {
  const code = { driver: 'file', filename: codePath };
  const variables = { driver: 'file', filename: layout.nvramPath };
  return [
    ...blockdev({ 'node-name': 'firmware-code', driver: 'raw', 'read-only': true, file: code }),
    ...blockdev({ 'node-name': 'firmware-variables', driver: 'qcow2', file: variables }),
  ];
}

/** `-daemonize` and this sandbox exclude each other: QEMU is started in a session of its own instead. */
function sandboxArgs(): string[] {
  return ['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'];
}

/** QEMU's name for the device behind the serial console. */
export const CONSOLE_ID = 'console';

function controlArgs({ runtime, layout, ram }: MachinePlan): string[] {
  return [
    '-qmp',
    `unix:${runtime.monitorPath},server=on,wait=off`,
    '-chardev',
    `socket,id=${CONSOLE_ID},path=${runtime.consolePath},server=on,wait=off,logfile=${escapeCommas(layout.serialLogPath)}`,
    '-serial',
    `chardev:${CONSOLE_ID}`,
    ...(ram
      ? ['-chardev', `socket,id=agent,path=${runtime.agentPath},server=on,wait=off`, '-serial', 'chardev:agent']
      : []),
  ];
}

function cdromArgs(plan: MachinePlan): string[] {
  const { spec } = plan;
  if (spec.cdromPath === undefined) return [];
  const file = { driver: 'file', filename: spec.cdromPath };
  return [
    ...blockdev({ 'node-name': 'cdrom', driver: 'raw', 'read-only': true, file }),
    '-device',
    `ide-cd,id=cdrom-drive,drive=cdrom${bootIndex(plan, 'cdrom')}`,
  ];
}

/** With a kernel given, there is no order to choose: QEMU takes index 0 for the kernel itself. */
function bootIndex(plan: MachinePlan, device: BootDevice): string {
  const index = plan.spec.boot.indexOf(device);
  return index < 0 || directKernel(plan) !== undefined ? '' : `,bootindex=${index}`;
}

/** A box with a kernel of its own boots it directly, unless the cdrom is to come first. */
function directKernel({ box, spec }: MachinePlan): BoxKernel | undefined {
  return spec.boot[0] === 'cdrom' ? undefined : box?.kernel;
}

function kernelArgs(plan: MachinePlan): string[] {
  const kernel = directKernel(plan);
  if (kernel === undefined) return [];
  // The unpacked kernel starts sooner, but only SeaBIOS knows how.
  const kernelPath = plan.spec.firmware === 'bios' ? kernel.uncompressedKernelPath : kernel.kernelPath;
  return ['-kernel', kernelPath, '-initrd', kernel.initrdPath, '-append', kernel.commandLine];
}

/** No network boot: an empty `romfile` keeps the firmware from loading one. */
function networkArgs({ forwards, macAddress, isIsolated }: MachinePlan): string[] {
  return [
    '-netdev',
    userNetdev(forwards, isIsolated),
    '-device',
    `virtio-net-pci,id=user-nic,netdev=${NETDEV_ID},mac=${macAddress},romfile=`,
  ];
}

/** Of the user network: the guest reaches nobody. */
export const RESTRICTED = 'restrict=on';

/** The backend of the card by which the guest reaches the world, and vm the guest. */
export function userNetdev(forwards: readonly OpenPort[], isIsolated: boolean): string {
  const rules = forwards.map((forward) => `hostfwd=${forwardRule(forward)}`);
  return ['user', `id=${NETDEV_ID}`, ...(isIsolated ? [RESTRICTED] : []), ...rules].join(',');
}

/** A card on a private network. */
function nicArgs(nic: ConnectedNic): string[] {
  return ['-netdev', netdevArgument(nic.networkId, nic.segment), ...nicDeviceArgs(nic)];
}

/** A hub of its own, with nothing else on it. */
function unconnectedNicArgs(nic: Nic, index: number): string[] {
  return ['-netdev', `hubport,id=${netdevId(nic)},hubid=${index + 1}`, ...nicDeviceArgs(nic)];
}

function nicDeviceArgs(nic: Nic): string[] {
  const id = netdevId(nic);
  return ['-device', `virtio-net-pci,id=${id}-nic,netdev=${id},mac=${nic.macAddress},romfile=`];
}

function seedArgs({ box, layout }: MachinePlan): string[] {
  if (box === undefined || box.seed === 'vagrant') return [];
  if (box.seed === 'machinefile') {
    return ['-fw_cfg', `name=opt/machinefile/seed,file=${escapeCommas(layout.seedTarPath)}`];
  }
  return [
    // NoCloud wants a file system with this label; vvfat serves a folder as one without any ISO tool.
    ...blockdev({
      'node-name': 'seed',
      driver: 'vvfat',
      dir: layout.cloudInitDir,
      label: 'CIDATA',
      rw: false,
      'read-only': true,
    }),
    '-device',
    'virtio-blk-pci,id=seed-disk,drive=seed',
  ];
}

function entropyArgs(): string[] {
  return [
    '-object',
    'rng-random,id=entropy,filename=/dev/urandom',
    '-device',
    'virtio-rng-pci,rng=entropy',
    '-device',
    'vmgenid,guid=auto',
  ];
}

/** A machine that is installed by hand, or that somebody looks at, has a screen; others save its start-up. */
function displayArgs({ spec, box, runtime }: MachinePlan): string[] {
  const hasScreen = spec.display !== 'none' || box === undefined;
  return ['-display', displayBackend(spec.display, runtime.displayPath), ...(hasScreen ? ['-vga', 'std'] : [])];
}

function displayBackend(display: MachinePlan['spec']['display'], socketPath: string): string {
  return display === 'vnc' ? `vnc=unix:${socketPath}` : display;
}
