import { VmError } from '../../errors.ts';
import { allDisksOf, boxDisksOf, ownDisksOf, type PlannedDisk } from '../../machine/disks.ts';
import type { MachinePlan } from '../../machine/plan.ts';
import type { DiskBus } from '../../machinefile/spec.ts';
import { blockdev } from './blockdev.ts';

/** How QEMU shows the disks of a bus. */
interface Bus {
  /** What the disks are connected to. */
  controllers(diskCount: number): string[];
  /** The device of one of them; they count from 0. */
  device(number: number): string;
}

/** Of ICH9, the controller. */
const SATA_PORTS = 6;
/** As many as xHCI can have. With fewer QEMU adds hubs, which are slow. */
const USB_PORTS = 15;

const BUSES: Readonly<Record<DiskBus, Bus>> = {
  virtio: { controllers: () => [], device: () => 'virtio-blk-pci' },
  nvme: { controllers: () => [], device: () => 'nvme' },
  scsi: { controllers: () => ['virtio-scsi-pci,id=scsi'], device: () => 'scsi-hd,bus=scsi.0' },
  sata: {
    controllers: (diskCount) =>
      Array.from({ length: Math.ceil(diskCount / SATA_PORTS) }, (_, i) => `ich9-ahci,id=sata-${i}`),
    device: (number) => `ide-hd,bus=sata-${Math.floor(number / SATA_PORTS)}.${number % SATA_PORTS}`,
  },
  usb: {
    controllers: () => [`qemu-xhci,id=usb,p2=${USB_PORTS},p3=${USB_PORTS}`],
    device: (number) => `usb-storage,bus=usb.0,port=${number + 1}`,
  },
};

/**
 * The disks of the box; the first is the root disk, the only one that is booted. Guests name virtio disks in the order of
 * their places on the bus, which is that of the arguments: these come first.
 */
export function boxDiskArgs(plan: MachinePlan, bootIndex: string): string[] {
  const [root, ...others] = boxDisksOf(plan);
  const { device } = BUSES.virtio;
  return [
    ...diskArgs(root, `${device(0)},id=root-disk,drive=root${bootIndex}`),
    ...others.flatMap((disk) => diskArgs(disk, `${device(0)},id=${disk.id}-disk,drive=${disk.id}`)),
  ];
}

/** The machine's own disks. They come after the cdrom, which would else be connected to a controller of theirs. */
export function ownDiskArgs(plan: MachinePlan): string[] {
  const disks = ownDisksOf(plan);
  const countOn = (bus: DiskBus, among = disks) => among.filter((disk) => disk.bus === bus).length;
  const buses = [...new Set(disks.map(({ bus }) => bus))];
  return [
    ...buses.flatMap((bus) => BUSES[bus].controllers(countOn(bus)).flatMap((controller) => ['-device', controller])),
    ...disks.flatMap((disk, index) => {
      const { id, name, bus } = disk;
      const device = BUSES[bus].device(countOn(bus, disks.slice(0, index)));
      return diskArgs(disk, `${device},id=${id}-disk,drive=${id},serial=${name}`);
    }),
  ];
}

/**
 * The machine's volumes. Behind all else that is on the PCI bus: a guest may know its network card by its place there.
 * What the guest has flushed is in the host's page cache at least, and so outlives QEMU.
 */
export function volumeArgs({ volumes }: MachinePlan): string[] {
  return volumes.flatMap(({ label, path }) => {
    const id = `volume-${label}`;
    return diskArgs({ id, path, format: 'raw' }, `virtio-blk-pci,id=${id}-disk,drive=${id},serial=${label}`);
  });
}

function diskArgs(disk: Pick<PlannedDisk, 'id' | 'path' | 'format'>, device: string): string[] {
  return [...blockdev(diskNode(disk)), '-device', device];
}

/** A disk as QEMU's block layer has it. */
export function diskNode({ id, path, format }: Pick<PlannedDisk, 'id' | 'path' | 'format'>): object {
  const file = { driver: 'file', filename: path, discard: 'unmap' };
  return { 'node-name': id, driver: format, discard: 'unmap', 'detect-zeroes': 'unmap', file };
}

/** Of the 30 places that the PCI bus has for devices, ten are left to the others and to controllers. */
const MOST_ON_PCI = 20;

/** @throws VmError if the box, `disks` and `volumes` together have more disks than the machine has places for. */
export function checkDiskPlaces(plan: MachinePlan): void {
  const disks = allDisksOf(plan).filter(({ bus }) => bus === 'virtio' || bus === 'nvme');
  const count = disks.length + plan.volumes.length;
  if (count <= MOST_ON_PCI) return;
  throw new VmError(
    `${plan.spec.name}: with those of its box${plan.volumes.length > 0 ? ' and its volumes' : ''} it has ${count} disks on virtio and nvme, which is more than ${MOST_ON_PCI}`,
    { hint: 'give some of “disks” bus: scsi, which takes one place for all' },
  );
}
