import { type HostCommand, run } from '../../host/exec.ts';
import { type ConversionTools, runQemuImg } from '../formats/convert.ts';

/** A machine's own disk, qcow2, and what it stands on. Not one of somebody else's: what it refers to is read. */
export interface MachineDisk {
  /** Absolute. */
  readonly path: string;
  readonly virtualSizeBytes: number;
}

/** `stream-vmdk`: compressed and read from front to back, the only kind that belongs into an OVA (DSP0243). */
export type FlatFormat = 'qcow2' | 'raw' | 'vdi' | 'vhdx' | 'vmdk' | 'stream-vmdk';

/** Writes a disk as one image that stands on nothing, without what is zero. @throws as `runQemuImg`. */
export function flatten(disk: MachineDisk, target: FlatTarget, tools: ConversionTools): Promise<void> {
  return runQemuImg(flattenCommand(disk, target), target.destPath, tools);
}

export interface FlatTarget {
  readonly format: FlatFormat;
  /** Absolute. After a throw it is not known what is there. */
  readonly destPath: string;
}

export function flattenCommand({ path }: MachineDisk, { format, destPath }: FlatTarget): HostCommand {
  const output = format === 'stream-vmdk' ? ['-O', 'vmdk', '-o', 'subformat=streamOptimized'] : ['-O', format];
  return { file: 'qemu-img', args: ['convert', '-p', '-f', 'qcow2', ...output, path, destPath] };
}

/** Makes an empty overlay of a disk. */
export async function createOverlay({ path }: MachineDisk, overlayPath: string, signal: AbortSignal): Promise<void> {
  await run(
    { file: 'qemu-img', args: ['create', '-q', '-f', 'qcow2', '-b', path, '-F', 'qcow2', overlayPath] },
    { signal },
  );
}

/**
 * Makes a disk stand on another one, which holds what is the same in both: what differs is copied into it.
 * @throws as `runQemuImg`.
 */
export async function standOn(disk: MachineDisk, basePath: string, tools: ConversionTools): Promise<void> {
  const args = ['rebase', '-p', '-f', 'qcow2', '-b', basePath, '-F', 'qcow2', disk.path];
  await runQemuImg({ file: 'qemu-img', args }, disk.path, tools);
}

/**
 * Copies what a disk has beyond the one it stands on, which `baseReference` names as seen from the copy.
 * @throws as `runQemuImg`.
 */
export async function copyOverlay(
  disk: MachineDisk,
  { baseReference, destPath }: { readonly baseReference: string; readonly destPath: string },
  tools: ConversionTools,
): Promise<void> {
  const args = ['convert', '-p', '-f', 'qcow2', '-O', 'qcow2', '-B', baseReference, '-F', 'qcow2', disk.path, destPath];
  await runQemuImg({ file: 'qemu-img', args }, destPath, tools);
}
