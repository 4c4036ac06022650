import { statFolder } from '../../host/files.ts';
import { readHostBootId } from '../../host/process-figures.ts';
import { isAlive, isSameProcess } from '../../host/processes.ts';
import type { MachineLayout } from '../../machine/layout.ts';
import type { MachineRecord } from '../../machine/record.ts';
import type { GuestNetworkReading, LedgerOwner, RunKey, RunReading } from '../../machine/usage-ledger.ts';
import type { RunFigures } from '../../providers/provider.ts';
import type { Project } from '../project.ts';

export function ownerOf(record: MachineRecord, { projectDir }: Pick<Project, 'projectDir'>): LedgerOwner {
  const { id, machine, replica, provider, box, createdAt } = record;
  return { id, projectDir, machine, replicaOf: replica?.of, provider, box: box?.name, createdAt };
}

/** What was seen of a run just now, as its ledger takes it. */
export function readingOf(
  record: MachineRecord | undefined,
  { process, runningMs, cpuMs, disk }: RunFigures,
  network: GuestNetworkReading | undefined,
): RunReading {
  return {
    key: { ...process, hostBootId: readHostBootId() },
    readAt: new Date().toISOString(),
    memoryBytes: record === undefined ? 0 : memoryGivenTo(record),
    runningMs,
    cpuMs,
    disk,
    network,
  };
}

/** What the guest was started with, whatever the Machinefile says now. */
export function memoryGivenTo({ started }: MachineRecord): number {
  return Number(started?.settings.memory ?? 0);
}

/** Whether the guest of a run was seen to accept a login: others are not asked for anything. */
export function isReady({ ready }: MachineRecord, { process }: Pick<RunFigures, 'process'>): boolean {
  return isSameProcess(ready, process);
}

export function isRunAlive({ hostBootId, ...process }: RunKey): boolean {
  return hostBootId === readHostBootId() && isAlive(process);
}

/**
 * When a run that nobody saw end was surely still there, in milliseconds of the host's clock: a QEMU that ends by itself
 * removes its pid file, which changes the folder; one that is killed, also with the host, wrote its disks and the
 * console's log until a moment before. Nobody else writes there before the run is settled, so this is never too late.
 */
export async function lastSignOfLife({ machineDir }: MachineLayout): Promise<number | undefined> {
  const times = (await statFolder(machineDir)).map(({ mtimeMs }) => mtimeMs);
  return times.length === 0 ? undefined : Math.min(Math.max(...times), Date.now());
}
