import { readDiskSize } from '../../boxes/formats/disk-size.ts';
import { StateError } from '../../errors.ts';
import { type HostCommand, run } from '../../host/exec.ts';
import type { MachinePlan } from '../../machine/plan.ts';
import { type FirmwareImages, uefiOf } from './firmware.ts';

/** What makes the disks of a new machine, the root disk first, and its UEFI variables, where it boots by UEFI. Pure. */
export function createCommands(plan: MachinePlan, uefi: FirmwareImages | undefined): HostCommand[] {
  const { box, diskBytes, layout } = plan;
  const extraDisks = box?.extraDisks ?? [];
  return [
    createDiskCommand({ path: layout.diskPath, backingPath: box?.diskPath, bytes: diskBytes }),
    ...extraDisks.map(({ path, virtualSizeBytes }, i) =>
      createDiskCommand({ path: layout.extraDiskPath(i + 1), backingPath: path, bytes: virtualSizeBytes }),
    ),
    ...(uefi ? [createNvramCommand(plan, uefi)] : []),
  ];
}

interface NewDisk {
  readonly path: string;
  /** The box's disk that it is an overlay of; absent: it is empty. */
  readonly backingPath: string | undefined;
  readonly bytes: number;
}

function createDiskCommand({ path, backingPath, bytes }: NewDisk): HostCommand {
  const backing = backingPath === undefined ? [] : ['-b', backingPath, '-F', 'qcow2'];
  return { file: 'qemu-img', args: ['create', '-q', '-f', 'qcow2', ...backing, path, String(bytes)] };
}

/** Makes a machine's own copy of the UEFI variables, as qcow2. */
function createNvramCommand({ layout }: MachinePlan, { variablesPath }: FirmwareImages): HostCommand {
  return {
    file: 'qemu-img',
    args: ['convert', '-f', 'raw', '-O', 'qcow2', variablesPath, layout.nvramPath],
  };
}

function growDiskCommand(diskPath: string, bytes: number): HostCommand {
  return { file: 'qemu-img', args: ['resize', '-q', '-f', 'qcow2', diskPath, String(bytes)] };
}

/** Makes the disks of a new machine. */
export async function createDisks(plan: MachinePlan, signal: AbortSignal): Promise<void> {
  for (const command of createCommands(plan, uefiOf(plan.spec))) await run(command, { signal });
}

/**
 * Grows the root disk to what the plan says; the guest grows its filesystem when it boots.
 * @throws StateError if the disk is damaged, or larger than what is asked for: shrinking would cut the filesystem off.
 */
export async function ensureDiskSize({ layout, diskBytes, spec }: MachinePlan, signal: AbortSignal): Promise<void> {
  const currentBytes = await readDiskSize(layout.diskPath);
  if (currentBytes === diskBytes) return;
  if (spec.diskBytes !== undefined && currentBytes > spec.diskBytes) {
    throw new StateError(
      `${spec.name}: the disk has ${currentBytes} bytes and disk: asks for ${spec.diskBytes}; a disk cannot shrink`,
      { hint: `set disk: back, or make the machine anew: vm destroy ${spec.name} && vm up ${spec.name}` },
    );
  }
  if (currentBytes < diskBytes) await run(growDiskCommand(layout.diskPath, diskBytes), { signal });
}
