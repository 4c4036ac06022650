import { existsSync } from 'node:fs';
import { link, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readDiskSize } from '../../boxes/formats/disk-size.ts';
import { StateError } from '../../errors.ts';
import { type HostCommand, run } from '../../host/exec.ts';
import { syncToDisk } from '../../host/files.ts';
import { type FreezableDisk, freezeId, isOverlayName, overlayPathOf } from '../../machine/frozen-disk.ts';
import { runtimeLayout } from '../../machine/layout.ts';
import type { RecordedMachine } from '../provider.ts';
import { topNodes } from './block-nodes.ts';
import { diskNode } from './disk-args.ts';
import { findQemu } from './process.ts';
import { QmpClient } from './qmp.ts';

const MONITOR_TIMEOUT_MS = 5_000;

/**
 * Freezes disks of a running machine while it runs, all at the same instant. Until QEMU has switched over, killing us
 * leaves the machine as it was; from then on all that is left are names, which `settleFreeze` sets right.
 */
export async function freezeDisks(
  machine: RecordedMachine,
  disks: readonly FreezableDisk[],
  signal: AbortSignal,
): Promise<void> {
  const { monitorPath } = runtimeLayout(machine.record.runtimeDir);
  using monitor = await QmpClient.connect(monitorPath, MONITOR_TIMEOUT_MS);
  const tops = await topNodes(monitor);
  const switched = disks.map((disk, index) => ({
    disk,
    top: requireTop(tops, disk, machine),
    node: nodeName(disk, index),
  }));
  try {
    await makeOverlays(disks, signal);
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
      await removeOverlays(disks);
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
  await removeOverlays(disks);
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
  return disks.every((disk, index) => tops.get(disk.id) === nodeName(disk, index));
}

function nodeName(disk: FreezableDisk, index: number): string {
  return `on-${freezeId(disk)}-${index}`;
}

function requireTop(tops: ReadonlyMap<string, string>, { id }: FreezableDisk, { record }: RecordedMachine): string {
  const top = tops.get(id);
  if (top === undefined) throw new StateError(`${record.machine}: QEMU does not know its disk ${id}`);
  return top;
}

/** Beside their names first: a name that exists is a whole overlay. */
async function makeOverlays(disks: readonly FreezableDisk[], signal: AbortSignal): Promise<void> {
  for (const disk of disks) {
    const unfinished = unfinishedPathOf(disk);
    await run(overlayCommand(disk, unfinished, await readDiskSize(disk.path)), { signal });
    await syncToDisk(unfinished);
  }
  for (const disk of disks) await rename(unfinishedPathOf(disk), overlayPathOf(disk));
}

function unfinishedPathOf(disk: FreezableDisk): string {
  return `${overlayPathOf(disk)}.new`;
}

/** `-u`: what it stands on is not there yet. */
function overlayCommand({ frozenPath }: FreezableDisk, path: string, bytes: number): HostCommand {
  return {
    file: 'qemu-img',
    args: ['create', '-q', '-u', '-f', 'qcow2', '-b', frozenPath, '-F', 'qcow2', path, String(bytes)],
  };
}

async function removeOverlays(disks: readonly FreezableDisk[]): Promise<void> {
  for (const disk of disks) {
    await rm(unfinishedPathOf(disk), { force: true });
    await rm(overlayPathOf(disk), { force: true });
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
