import { isSameProcess } from '../../host/processes.ts';
import type { GuestNetworkReading } from '../../machine/usage-ledger.ts';
import type { RunFigures } from '../../providers/provider.ts';

/** One machine as `vm stats --json` prints it; all but its name is null while it does not run. */
export interface MachineStats {
  readonly machine: string;
  readonly pid: number | null;
  /** Of one of the host's processors; two busy ones are 200. Null until it was read twice. */
  readonly cpu_percent: number | null;
  /** Of the host's memory. */
  readonly memory_bytes: number | null;
  /** What the guest was given; the hypervisor takes some more for itself. */
  readonly memory_limit_bytes: number | null;
  /** Since the machine was started; null where the hypervisor does not tell. */
  readonly disk_read_bytes: number | null;
  readonly disk_written_bytes: number | null;
  /** Since the guest booted, as it counts; null where it does not tell. */
  readonly network_in_bytes: number | null;
  readonly network_out_bytes: number | null;
}

export function statsOfStopped(machine: string): MachineStats {
  return {
    machine,
    pid: null,
    cpu_percent: null,
    memory_bytes: null,
    memory_limit_bytes: null,
    disk_read_bytes: null,
    disk_written_bytes: null,
    network_in_bytes: null,
    network_out_bytes: null,
  };
}

export interface StatsReading {
  readonly figures: RunFigures;
  /** The reading before; it may be of another run. */
  readonly previous: RunFigures | undefined;
  readonly memoryLimitBytes: number;
  readonly network: GuestNetworkReading | undefined;
}

/** Pure. */
export function statsOf(machine: string, reading: StatsReading): MachineStats {
  const { figures, previous, memoryLimitBytes, network } = reading;
  return {
    machine,
    pid: figures.process.pid,
    cpu_percent: cpuPercent(previous, figures) ?? null,
    memory_bytes: figures.memoryBytes,
    memory_limit_bytes: memoryLimitBytes,
    disk_read_bytes: figures.disk?.readBytes ?? null,
    disk_written_bytes: figures.disk?.writtenBytes ?? null,
    network_in_bytes: network?.traffic.inBytes ?? null,
    network_out_bytes: network?.traffic.outBytes ?? null,
  };
}

type Clocks = Pick<RunFigures, 'process' | 'cpuMs' | 'runningMs'>;

/**
 * How busy a run was between two readings, in percent of one processor; undefined where the readings are of different
 * runs, or no time is between them. Pure.
 */
export function cpuPercent(before: Clocks | undefined, now: Clocks): number | undefined {
  if (before === undefined || !isSameProcess(before.process, now.process)) return undefined;
  const elapsedMs = now.runningMs - before.runningMs;
  if (elapsedMs <= 0) return undefined;
  return Math.round(((now.cpuMs - before.cpuMs) / elapsedMs) * 1000) / 10;
}
