import { existsSync } from 'node:fs';
import { link, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readDiskSize } from '../../boxes/formats/disk-size.ts';
import { StateError } from '../../errors.ts';
import { type HostCommand, run } from '../../host/exec.ts';
import { syncToDisk } from '../../host/files.ts';
import {
  type FreezableDisk,
  freezeId,
  isOverlayName,
  overlayPathOf,
  type ResetDisk,
} from '../../machine/frozen-disk.ts';
import { runtimeLayout } from '../../machine/layout.ts';
import type { RecordedMachine } from '../provider.ts';
import { topNodes } from './block-nodes.ts';
import { diskNode } from './disk-args.ts';
import { findQemu } from './process.ts';
import { QmpClient } from './qmp.ts';

const MONITOR_TIMEOUT_MS = 5_000;

/**
 * Freezes disks of a machine, all at the same instant, while it runs. Until QEMU has switched over, killing us leaves the
 * machine as it was; from then on all that is left are names, which `settleFreeze` sets right.
 */
export async function freezeDisks(
  machine: RecordedMachine,
  disks: readonly FreezableDisk[],
  signal: AbortSignal,
): Promise<void> {
  if (findQemu({ id: machine.record.id, layout: machine.layout }) === undefined) {
    await makeOverlays(disks.map(overlayOf), signal);
    await putInPlace(disks);
    return;
  }
  await freezeRunning(machine, disks, signal);
}

async function freezeRunning(
  machine: RecordedMachine,
  disks: readonly FreezableDisk[],
  signal: AbortSignal,
): Promise<void> {
  const { monitorPath } = runtimeLayout(machine.record.runtimeDir);
  using monitor = await QmpClient.connect(monitorPath, MONITOR_TIMEOUT_MS);
  const tops = await topNodes(monitor);
  const switched = disks.flatMap((disk, index) =>
    isDetached(disk, tops) ? [] : [{ disk, top: requireTop(tops, disk, machine), node: nodeName(disk, index) }],
  );
  try {
    await makeOverlays(disks.map(overlayOf), signal);
    for (const { disk, node } of switched) await monitor.execute('blockdev-add', overlayNode(disk, node));
    const actions = switched.map(({ top, node }) => ({
      type: 'blockdev-snapshot',
      data: { node: top, overlay: node },
    }));
    await monitor.execute('transaction', { actions });
  } catch (error) {
    // A QEMU that fell silent may have switched over all the same: then only `settleFreeze` can tell.
    if (error instanceof StateError) {
      for (const { node } of switched) await monitor.execute('blockdev-del', { 'node-name': node }).catch(() => {});
      await removeOverlays(disks.map(overlayOf));
    }
    throw error;
  }
  await putInPlace(disks);
}

/** See `Provider.settleFreeze`. */
export async function settleFreeze(
  machine: RecordedMachine,
  disks: readonly FreezableDisk[],
): Promise<'frozen' | 'untouched'> {
  if (await hasSwitched(machine, disks)) {
    await putInPlace(disks);
    return 'frozen';
  }
  await removeOverlays(disks.map(overlayOf));
  return 'untouched';
}

/**
 * A QEMU that runs says what it writes to. Where none runs, overlays that are all there can take their places in any case:
 * those that QEMU never switched to are empty.
 */
async function hasSwitched({ record, layout }: RecordedMachine, disks: readonly FreezableDisk[]): Promise<boolean> {
  if (disks.some(({ frozenPath }) => existsSync(frozenPath))) return true;
  if (!disks.every((disk) => existsSync(overlayPathOf(disk)))) return false;
  if (findQemu({ id: record.id, layout }) === undefined) return true;
  using monitor = await QmpClient.connect(runtimeLayout(record.runtimeDir).monitorPath, MONITOR_TIMEOUT_MS);
  const tops = await topNodes(monitor);
  return disks.every((disk, index) => isDetached(disk, tops) || tops.get(disk.id) === nodeName(disk, index));
}

function nodeName(disk: FreezableDisk, index: number): string {
  return `on-${freezeId(disk)}-${index}`;
}

/** Such a disk is frozen as that of a stopped machine. */
function isDetached({ id, mayBeDetached }: FreezableDisk, tops: ReadonlyMap<string, string>): boolean {
  return mayBeDetached === true && !tops.has(id);
}

function requireTop(tops: ReadonlyMap<string, string>, { id }: FreezableDisk, { record }: RecordedMachine): string {
  const top = tops.get(id);
  if (top === undefined) throw new StateError(`${record.machine}: QEMU does not know its disk ${id}`);
  return top;
}

/** An empty overlay that is to be made. */
interface Overlay {
  readonly path: string;
  /** What it stands on, as it names it: that need not be there yet. */
  readonly reference: string;
  /** The disk whose size it gets. */
  readonly sizeOfPath: string;
}

function overlayOf(disk: FreezableDisk): Overlay {
  const { path, frozenPath, reference = frozenPath } = disk;
  return { path: overlayPathOf(disk), reference, sizeOfPath: path };
}

/** See `Provider.prepareReset`. */
export async function prepareReset(disks: readonly ResetDisk[], signal: AbortSignal): Promise<void> {
  const overlays = disks.map(({ overlayPath, frozenPath, reference = frozenPath }) => ({
    path: overlayPath,
    reference,
    sizeOfPath: frozenPath,
  }));
  try {
    await makeOverlays(overlays, signal);
  } catch (error) {
    await removeOverlays(overlays);
    throw error;
  }
}

/** See `Provider.resetDisks`. */
export async function resetDisks(disks: readonly ResetDisk[]): Promise<void> {
  for (const { path, overlayPath } of disks) {
    if (existsSync(overlayPath)) await rename(overlayPath, path);
    await syncToDisk(dirname(path));
  }
}

/** Beside their names first: a name that exists is a whole overlay. */
async function makeOverlays(overlays: readonly Overlay[], signal: AbortSignal): Promise<void> {
  for (const overlay of overlays) {
    const unfinished = unfinishedPathOf(overlay);
    await run(overlayCommand(overlay, await readDiskSize(overlay.sizeOfPath)), { signal });
    await syncToDisk(unfinished);
  }
  for (const overlay of overlays) await rename(unfinishedPathOf(overlay), overlay.path);
}

function unfinishedPathOf({ path }: Overlay): string {
  return `${path}.new`;
}

/** `-u`: what it stands on is not there yet. */
function overlayCommand(overlay: Overlay, bytes: number): HostCommand {
  const backing = ['-b', overlay.reference, '-F', 'qcow2'];
  return {
    file: 'qemu-img',
    args: ['create', '-q', '-u', '-f', 'qcow2', ...backing, unfinishedPathOf(overlay), String(bytes)],
  };
}

async function removeOverlays(overlays: readonly Overlay[]): Promise<void> {
  for (const overlay of overlays) {
    await rm(unfinishedPathOf(overlay), { force: true });
    await rm(overlay.path, { force: true });
  }
}

/** Without the file below it, which QEMU has open already. */
function overlayNode(disk: FreezableDisk, node: string): object {
  return { ...diskNode({ id: node, path: overlayPathOf(disk), format: 'qcow2' }), backing: null };
}

/**
 * Each may have been done before. QEMU opens a disk anew by its name, to read only, when it is frozen (measured with 7.2,
 * where a guest read zeros after another file had taken that name): so an overlay keeps the name that QEMU knows.
 */
async function putInPlace(disks: readonly FreezableDisk[]): Promise<void> {
  for (const disk of disks) {
    const { path, frozenPath } = disk;
    if (!existsSync(frozenPath)) await rename(path, frozenPath);
    if (!existsSync(path)) await link(overlayPathOf(disk), path);
    await removeOverlayNames(path, overlayPathOf(disk));
    await syncToDisk(dirname(frozenPath));
    await syncToDisk(dirname(path));
  }
}

/** Removes the second names of a disk's overlays, but for the one that a running QEMU knows. */
export async function removeOverlayNames(diskPath: string, keptPath?: string): Promise<void> {
  const dir = dirname(diskPath);
  const paths = (await readdir(dir)).filter((name) => isOverlayName(name, diskPath)).map((name) => join(dir, name));
  for (const path of paths) {
    if (path !== keptPath) await rm(path, { force: true });
  }
}
