import { open } from 'node:fs/promises';
import { StateError } from '../../errors.ts';
import { type HostCommand, run } from '../../host/exec.ts';
import { asWriteError } from '../../host/files.ts';
import type { MachinePlan } from '../../machine/plan.ts';
import { type FirmwareImages, uefiOf } from './firmware.ts';

/** Makes the root disk: an overlay of the box's own, or empty. Pure. */
export function createDiskCommand({ box, diskBytes, layout }: MachinePlan): HostCommand {
  const backing = box === undefined ? [] : ['-b', box.diskPath, '-F', 'qcow2'];
  return {
    file: 'qemu-img',
    args: ['create', '-q', '-f', 'qcow2', ...backing, layout.diskPath, String(diskBytes)],
  };
}

/** Makes a machine's own copy of the UEFI variables, as qcow2. Pure. */
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
  await run(createDiskCommand(plan), { signal });
  const uefi = uefiOf(plan.spec);
  if (uefi) await run(createNvramCommand(plan, uefi), { signal });
}

/**
 * Grows the root disk to what the plan says; the guest grows its filesystem when it boots.
 * @throws StateError if the disk is damaged, or larger than what is asked for: shrinking would cut the filesystem off.
 */
export async function ensureDiskSize({ layout, diskBytes, spec }: MachinePlan, signal: AbortSignal): Promise<void> {
  const currentBytes = await readVirtualSize(layout.diskPath);
  if (currentBytes === diskBytes) return;
  if (spec.diskBytes !== undefined && currentBytes > spec.diskBytes) {
    throw new StateError(
      `${spec.name}: the disk has ${currentBytes} bytes and disk: asks for ${spec.diskBytes}; a disk cannot shrink`,
      { hint: `set disk: back, or make the machine anew: vm destroy ${spec.name} && vm up ${spec.name}` },
    );
  }
  if (currentBytes < diskBytes) await run(growDiskCommand(layout.diskPath, diskBytes), { signal });
}

const QCOW2_MAGIC = 0x514649fb;
const HEADER_BYTES = 32;

/** The virtual size in a qcow2 header: big-endian 64 bit at offset 24 (QEMU's docs/interop/qcow2). */
async function readVirtualSize(diskPath: string): Promise<number> {
  const file = await open(diskPath, 'r').catch((error: unknown) => {
    throw asWriteError(diskPath, error);
  });
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    if (bytesRead < HEADER_BYTES || buffer.readUInt32BE(0) !== QCOW2_MAGIC) {
      throw new StateError(`${diskPath} is not a qcow2 disk any more`, {
        hint: 'restore it from a copy, or destroy the machine',
      });
    }
    return Number(buffer.readBigUInt64BE(24));
  } finally {
    await file.close();
  }
}
