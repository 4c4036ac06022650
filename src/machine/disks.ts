import { toWholeSectors } from '../boxes/formats/image-bytes.ts';
import type { DiskBus, DiskFormat } from '../machinefile/spec.ts';
import type { MachinePlan } from './plan.ts';

/** One of a machine's disks, as its hypervisor makes and shows it. */
export interface PlannedDisk {
  /** Unique within the machine. */
  readonly id: string;
  readonly path: string;
  readonly format: DiskFormat;
  readonly bus: DiskBus;
  readonly bytes: number;
  /** What it is an overlay of when it is made: the box's disk, or a frozen one; absent: it begins empty. */
  readonly backingPath: string | undefined;
}

/** A disk of the Machinefile's `disks`. */
export interface OwnDisk extends PlannedDisk {
  readonly name: string;
}

/** Every disk, in the order in which guests count them. */
export function allDisksOf(plan: MachinePlan): PlannedDisk[] {
  return [...boxDisksOf(plan), ...ownDisksOf(plan)];
}

/** The root disk, then the others of the box. */
export function boxDisksOf({ box, base, diskBytes, layout }: MachinePlan): [PlannedDisk, ...PlannedDisk[]] {
  const overlay = { format: 'qcow2', bus: 'virtio' } as const;
  const others = (box?.extraDisks ?? []).map(({ path, virtualSizeBytes }, i) => ({
    ...overlay,
    id: `extra-${i + 1}`,
    path: layout.extraDiskPath(i + 1),
    bytes: virtualSizeBytes,
    backingPath: base.get(`extra-${i + 1}`) ?? path,
  }));
  const backingPath = base.get('root') ?? box?.diskPath;
  return [{ ...overlay, id: 'root', path: layout.diskPath, bytes: diskBytes, backingPath }, ...others];
}

/** Those of the Machinefile's `disks`. */
export function ownDisksOf({ spec, base, layout }: MachinePlan): OwnDisk[] {
  return spec.disks.map(({ name, sizeBytes, format, bus }) => ({
    name,
    id: `own-${name}`,
    path: layout.ownDiskPath({ name, format }),
    format,
    bus,
    bytes: toWholeSectors(sizeBytes),
    backingPath: base.get(`own-${name}`),
  }));
}
