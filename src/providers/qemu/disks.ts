import { existsSync } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { readDiskSize } from '../../boxes/formats/disk-size.ts';
import { StateError } from '../../errors.ts';
import { type HostCommand, run } from '../../host/exec.ts';
import { allDisksOf, boxDisksOf, type OwnDisk, ownDisksOf, type PlannedDisk } from '../../machine/disks.ts';
import type { MachinePlan } from '../../machine/plan.ts';
import { formatSize } from '../../machinefile/units.ts';
import { type FirmwareImages, uefiOf } from './firmware.ts';
import { removeOverlayNames } from './freeze.ts';

/** What makes the disks of a new machine, the root disk first, and its UEFI variables, where it boots by UEFI. Pure. */
export function createCommands(plan: MachinePlan, uefi: FirmwareImages | undefined): HostCommand[] {
  return [...allDisksOf(plan).map(createDiskCommand), ...(uefi ? [createNvramCommand(plan, uefi)] : [])];
}

/** What makes the own disks that a machine lacks. Pure. */
export function addCommands(plan: MachinePlan): HostCommand[] {
  const isNew = (disk: OwnDisk) => !plan.madeDisks.some(({ name }) => name === disk.name);
  return ownDisksOf(plan).filter(isNew).map(createDiskCommand);
}

function createDiskCommand({ path, format, backingPath, bytes }: PlannedDisk): HostCommand {
  const backing = backingPath === undefined ? [] : ['-b', backingPath, '-F', 'qcow2'];
  return { file: 'qemu-img', args: ['create', '-q', '-f', format, ...backing, path, String(bytes)] };
}

/** Makes a machine's own copy of the UEFI variables, as qcow2. */
function createNvramCommand({ layout }: MachinePlan, { variablesPath }: FirmwareImages): HostCommand {
  return {
    file: 'qemu-img',
    args: ['convert', '-f', 'raw', '-O', 'qcow2', variablesPath, layout.nvramPath],
  };
}

/** Makes the disks of a new machine. */
export async function createDisks(plan: MachinePlan, signal: AbortSignal): Promise<void> {
  for (const command of createCommands(plan, uefiOf(plan.spec))) await run(command, { signal });
}

/**
 * Gives the disks of a stopped machine the sizes of the plan, and makes own disks that are new in it.
 * @throws StateError if a disk is gone, damaged, larger than asked for, or in another format: nothing that is on it is
 * ever replaced.
 */
export async function ensureDisks(plan: MachinePlan, signal: AbortSignal): Promise<void> {
  for (const { path } of allDisksOf(plan)) await removeOverlayNames(path);
  await ensureRootSize(plan, signal);
  for (const disk of ownDisksOf(plan)) await ensureOwnDisk(plan, disk, signal);
}

/** The guest grows its filesystem when it boots. Shrinking would cut it off. */
async function ensureRootSize(plan: MachinePlan, signal: AbortSignal): Promise<void> {
  const { spec } = plan;
  const [root] = boxDisksOf(plan);
  const currentBytes = await readDiskSize(root.path);
  if (spec.diskBytes !== undefined && currentBytes > root.bytes) {
    throw new StateError(
      `${spec.name}: the disk has ${currentBytes} bytes and disk: asks for ${spec.diskBytes}; a disk cannot shrink`,
      { hint: `set disk: back, or make the machine anew: vm destroy ${spec.name} && vm up ${spec.name}` },
    );
  }
  if (currentBytes < root.bytes) await growDisk(root, signal);
}

async function ensureOwnDisk({ spec, madeDisks }: MachinePlan, disk: OwnDisk, signal: AbortSignal): Promise<void> {
  const what = `${spec.name}: the disk ${disk.name}`;
  const made = madeDisks.find(({ name }) => name === disk.name);
  if (made !== undefined && made.format !== disk.format) {
    throw new StateError(`${what} was made as ${made.format} and disks: asks for ${disk.format}`, {
      hint: `set its format back to ${made.format}, or give it another name, which makes a new, empty disk`,
    });
  }
  if (!existsSync(disk.path)) {
    if (made === undefined) return makeDisk(disk, signal);
    throw new StateError(`${what} is gone: ${disk.path}`, {
      hint: 'restore the file from a copy; or remove the disk from disks:, start the machine, and add it again, empty',
    });
  }
  const currentBytes = await sizeOf(disk);
  if (currentBytes > disk.bytes) {
    throw new StateError(
      `${what} has ${formatSize(currentBytes)} and disks: asks for ${formatSize(disk.bytes)}; a disk cannot shrink`,
      { hint: 'set its size back, or give it another name, which makes a new, empty disk' },
    );
  }
  if (currentBytes < disk.bytes) await growDisk(disk, signal);
}

async function sizeOf({ path, format }: PlannedDisk): Promise<number> {
  return format === 'raw' ? (await stat(path)).size : readDiskSize(path);
}

/** Beside its place first: a process that is killed leaves no half of a disk there. */
async function makeDisk(disk: OwnDisk, signal: AbortSignal): Promise<void> {
  const besidePath = `${disk.path}.new`;
  try {
    await run(createDiskCommand({ ...disk, path: besidePath }), { signal });
    await rename(besidePath, disk.path);
  } finally {
    await rm(besidePath, { force: true });
  }
}

async function growDisk({ path, format, bytes }: PlannedDisk, signal: AbortSignal): Promise<void> {
  await run({ file: 'qemu-img', args: ['resize', '-q', '-f', format, path, String(bytes)] }, { signal });
}
