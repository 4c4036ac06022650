import { rename } from 'node:fs/promises';
import type { RunContext } from '../../context.ts';
import { StateError } from '../../errors.ts';
import { readCommand } from '../../host/processes.ts';
import { TransferProgress } from '../../http/progress-text.ts';
import { stampOf } from '../../machine/disk-stamp.ts';
import { runtimeLayout } from '../../machine/layout.ts';
import { type DiskStamp, type HypervisorFacts, MEMORY_FORMAT, type MemoryFiles } from '../../machine/memory.ts';
import { removeMemory, unfinishedPath, writeMemoryFacts } from '../../machine/memory-files.ts';
import type { RecordedMachine } from '../provider.ts';
import { argsFingerprint, isRamShared } from './memory-args.ts';
import { readHostFacts } from './memory-facts.ts';
import { StateReceiver, type StreamFacts } from './memory-stream.ts';
import { ask, awaitMigration, leaveOutSharedRam, liftLimits } from './migration.ts';
import { findQemu } from './process.ts';
import type { QmpClient } from './qmp.ts';
import { runOn } from './run-on.ts';

/** When QEMU stops a guest it waits for its disks, which may be slow. */
const STOP_TIMEOUT_MS = 120_000;

/** See `Provider.saveMemory`. */
export async function saveMemory(machine: RecordedMachine, files: MemoryFiles, context: RunContext): Promise<void> {
  const { record, layout } = machine;
  const qemu = findQemu({ id: record.id, layout });
  const command = qemu && readCommand(qemu.pid);
  if (command === undefined) throw new StateError(`${record.machine} does not run, so it has no memory to save`);
  const { args } = command;
  const { monitorPath } = runtimeLayout(record.runtimeDir);
  await removeMemory(files);
  const { hypervisor, diskPaths } = await ask(monitorPath, async (monitor) => {
    await leaveOutSharedRam(monitor, isRamShared(args));
    return {
      hypervisor: await readHypervisorFacts(monitor, args),
      diskPaths: writableFiles(await monitor.execute('query-named-block-nodes', { flat: true })),
    };
  });
  try {
    const streamed = await streamOut(machine, files, context);
    await rename(unfinishedPath(files), files.statePath);
    await writeMemoryFacts(files, {
      format: MEMORY_FORMAT,
      savedAt: new Date().toISOString(),
      ...streamed,
      hypervisor,
      host: readHostFacts(args),
      command,
      disks: await stampsOf(diskPaths),
    });
  } catch (error) {
    await removeMemory(files);
    throw await afterRunningOn(error, machine);
  }
}

/** Holds the guest still, and has QEMU write all that there is of it into the unfinished file. */
async function streamOut({ record }: RecordedMachine, files: MemoryFiles, context: RunContext): Promise<StreamFacts> {
  const { monitorPath, memoryPath } = runtimeLayout(record.runtimeDir);
  const { reporter, signal } = context;
  const progress = new TransferProgress({
    report: (text) => reporter.report({ type: 'progress', subject: record.machine, text }),
  });
  await using receiver = await StateReceiver.listen({
    filePath: unfinishedPath(files),
    socketPath: memoryPath,
    onProgress: (bytes) => progress.update(bytes, undefined),
  });
  await ask(monitorPath, async (monitor) => {
    await monitor.execute('stop', undefined, STOP_TIMEOUT_MS);
    await liftLimits(monitor);
    await monitor.execute('migrate', { uri: `unix:${memoryPath}` });
  });
  try {
    const [streamed] = await Promise.all([receiver.received, awaitMigration(monitorPath, signal)]);
    return streamed;
  } catch (error) {
    throw receiver.failure ?? error;
  }
}

/** After a save that failed: the guest runs on, as if nothing had happened. Gives the error to throw. */
async function afterRunningOn(error: unknown, { record, layout }: RecordedMachine): Promise<unknown> {
  const { machine, id, runtimeDir } = record;
  try {
    await runOn(runtimeLayout(runtimeDir).monitorPath);
    return error;
  } catch (cause) {
    if (findQemu({ id, layout }) === undefined) return error;
    const reason = error instanceof Error ? error.message : String(error);
    return new StateError(`${machine} is held still, and its memory could not be saved: ${reason}`, {
      hint: `vm up ${machine} lets it run on`,
      cause,
    });
  }
}

/** What QEMU says of itself. */
export async function readHypervisorFacts(monitor: QmpClient, args: readonly string[]): Promise<HypervisorFacts> {
  const { qemu } = (await monitor.execute('query-version')) as { qemu: Record<string, number> }; // QEMU's promise
  const type = String(await monitor.execute('qom-get', { path: '/machine', property: 'type' }));
  return {
    version: `${qemu.major}.${qemu.minor}.${qemu.micro}`,
    machineType: type.replace(/-machine$/, ''),
    argsFingerprint: argsFingerprint(args),
  };
}

/** What is looked at of a node of QMP's `query-named-block-nodes`. */
interface BlockNode {
  readonly drv?: unknown;
  readonly ro?: unknown;
  readonly file?: unknown;
}

/** The files that a guest can change. Pure. */
export function writableFiles(nodes: unknown): string[] {
  if (!Array.isArray(nodes)) return [];
  const files = nodes.flatMap(({ drv, ro, file }: BlockNode) => (drv === 'file' && ro === false ? String(file) : []));
  return [...new Set(files)].sort();
}

async function stampsOf(paths: readonly string[]): Promise<DiskStamp[]> {
  const stamps = await Promise.all(paths.map(stampOf));
  const goneIndex = stamps.indexOf(undefined);
  if (goneIndex >= 0) throw new StateError(`the disk ${paths[goneIndex]} is gone, so its machine could not go on`);
  return stamps.filter((stamp) => stamp !== undefined);
}
