import { basename, dirname } from 'node:path';

/** A disk of a running machine that is to be frozen: from then on its file never changes. */
export interface FreezableDisk {
  /** As in `PlannedDisk`. */
  readonly id: string;
  /** Where the machine's disk is, before and after: an overlay takes the place of the file that is frozen. */
  readonly path: string;
  /** Where the frozen file goes, absolute, on the same file system. The end of its folder's name is unique. */
  readonly frozenPath: string;
  /** How what stands on it names it; absent: by `frozenPath`. */
  readonly reference?: string;
  /** The machine may run without it: one of its own that has left the Machinefile. Absent: it may not. */
  readonly mayBeDetached?: boolean;
}

/** A disk of a stopped machine that is to be replaced by an empty overlay of a frozen one. */
export interface ResetDisk extends FreezableDisk {
  /** Where the overlay is made, beside `path`; its name is unique. */
  readonly overlayPath: string;
}

const UNIQUE_LENGTH = 8;

/** Of a freeze, the same each time it is tried. */
export function freezeId({ frozenPath }: Pick<FreezableDisk, 'frozenPath'>): string {
  return basename(dirname(frozenPath)).slice(-UNIQUE_LENGTH);
}

/**
 * The name by which the hypervisor opens the overlay, and which the overlay keeps beside that of the machine's disk: when
 * it is frozen in turn, it is opened anew by that name.
 */
export function overlayPathOf(disk: FreezableDisk): string {
  return overlayPathFor(disk, freezeId(disk));
}

/** @param id eight characters or more, and no other's. */
export function overlayPathFor({ path }: Pick<FreezableDisk, 'path'>, id: string): string {
  return `${path}.on-${id}`;
}

/** Whether the file beside a disk is, or was, such an overlay of it. */
export function isOverlayName(name: string, diskPath: string): boolean {
  const prefix = `${basename(diskPath)}.on-`;
  return name.startsWith(prefix) && name.length >= prefix.length + UNIQUE_LENGTH;
}
