import type { Box } from '../boxes/box.ts';
import { toWholeSectors } from '../boxes/formats/image-bytes.ts';
import { VmError } from '../errors.ts';
import type { Accelerator, MachineSpec } from '../machinefile/spec.ts';
import { type MachineLayout, type RuntimeLayout, runtimeLayout } from './layout.ts';
import type { ConnectedNic, Nic } from './nics.ts';
import type { DiskRecord, MachineRecord, PortForward } from './record.ts';
import type { PlannedVolume } from './volume.ts';

/** Everything a provider needs to create and start a machine: nothing is left to decide. */
export interface MachinePlan {
  readonly id: string;
  readonly spec: MachineSpec;
  /** Absent: an empty disk, installed by hand. */
  readonly box: Box | undefined;
  /** What the disks of a machine that is made are overlays of in place of the box's, by their ids. */
  readonly base: ReadonlyMap<string, string>;
  readonly accel: Accelerator;
  /** Of the root disk; further disks are as large as in the box. */
  readonly diskBytes: number;
  /** Own disks that were made before. */
  readonly madeDisks: readonly DiskRecord[];
  readonly volumes: readonly PlannedVolume[];
  /** The SSH port first, then those of the Machinefile, then those of `vm port add`. */
  readonly forwards: readonly PortForward[];
  /** Of the card by which vm reaches the guest, and the guest the world. */
  readonly macAddress: string;
  /** Its cards on private networks. */
  readonly nics: readonly ConnectedNic[];
  /** Nobody is reached from the guest by this card; forwarded ports lead into it all the same. */
  readonly isIsolated: boolean;
  readonly layout: MachineLayout;
  readonly runtime: RuntimeLayout;
  /** The file that its memory is; absent: none. */
  readonly ram?: PlannedRam | undefined;
}

export type PlannedRam =
  /** Others are to begin with what it holds. They have these cards, which are connected to nothing here. */
  | { readonly use: 'template'; readonly path: string; readonly nics: readonly Nic[] }
  /** It is one of those, and changes nothing in the file. */
  | { readonly use: 'copy'; readonly path: string };

export interface PlanInput {
  readonly spec: MachineSpec;
  readonly box: Box | undefined;
  readonly accel: Accelerator;
  readonly volumes: readonly PlannedVolume[];
  readonly layout: MachineLayout;
  readonly nics: readonly ConnectedNic[];
  /** Absent: the disks stand on those of the box. */
  readonly base?: MachinePlan['base'];
  readonly ram?: PlannedRam | undefined;
  readonly record: Pick<MachineRecord, 'id' | 'disks' | 'forwards' | 'isCopy' | 'macAddress' | 'runtimeDir'>;
}

/** An empty disk to install on, where neither a box nor the Machinefile gives a size. */
const EMPTY_DISK_BYTES = 20 * 1024 ** 3;

/** @throws VmError if the disk asked for is smaller than the box. */
export function planMachine({
  spec,
  box,
  base = new Map(),
  accel,
  volumes,
  layout,
  nics,
  ram,
  record,
}: PlanInput): MachinePlan {
  const diskBytes = rootDiskBytes(spec, box);
  if (box !== undefined && diskBytes < box.virtualSizeBytes) {
    throw new VmError(
      `${spec.name}: disk: ${diskBytes} bytes is smaller than the box ${box.name} (${box.virtualSizeBytes} bytes)`,
      { hint: 'give a larger disk, or leave disk away to use the size of the box' },
    );
  }
  const { id, disks: madeDisks = [], forwards, macAddress, isCopy = false, runtimeDir } = record;
  const runtime = runtimeLayout(runtimeDir);
  return {
    id,
    spec,
    box,
    base,
    accel,
    diskBytes,
    madeDisks,
    volumes,
    forwards,
    macAddress,
    nics,
    isIsolated: isCopy || spec.isIsolated,
    layout,
    runtime,
    ram,
  };
}

/** The virtual size of a machine's root disk. Pure. */
export function rootDiskBytes(
  { diskBytes }: Pick<MachineSpec, 'diskBytes'>,
  box: Pick<Box, 'virtualSizeBytes'> | undefined,
): number {
  return toWholeSectors(diskBytes ?? box?.virtualSizeBytes ?? EMPTY_DISK_BYTES);
}

/** A locally administered unicast address in QEMU's own range, 52:54:00, from the machine's id: stable and unique. */
export function macAddressOf(machineId: string): string {
  const hex = machineId.replaceAll('-', '').slice(0, 6);
  return `52:54:00:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4, 6)}`;
}
