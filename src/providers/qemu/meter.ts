import { type ProcessFigures, readProcessFigures } from '../../host/process-figures.ts';
import type { ProcessIdentity } from '../../host/processes.ts';
import { pause } from '../../host/wait.ts';
import { runtimeLayout } from '../../machine/layout.ts';
import type { DiskTraffic, MachineHandle, RunFigures } from '../provider.ts';
import { sumBlockStats } from './block-stats.ts';
import { findQemu } from './process.ts';
import { OBSERVER_TIMEOUT_MS, withMonitor } from './qmp.ts';

/** QEMU takes what its disks have done with it when it ends: it is asked as often as this while it is being stopped. */
const DISK_INTERVAL_MS = 250;

/** What the machine's QEMU has used so far; undefined where none runs. */
export async function meterQemu(machine: MachineHandle): Promise<RunFigures | undefined> {
  const process = findQemu(machine);
  if (process === undefined) return undefined;
  const disk = await readDiskTraffic(machine);
  const figures = readProcessFigures(process);
  return figures && { process, ...figures, disk };
}

async function readDiskTraffic({ runtimeDir }: MachineHandle): Promise<DiskTraffic | undefined> {
  const { monitorPath } = runtimeLayout(runtimeDir);
  const answer = await withMonitor(monitorPath, OBSERVER_TIMEOUT_MS, (monitor) => monitor.execute('query-blockstats'));
  return sumBlockStats(answer);
}

/** Follows a QEMU that is being stopped to its end, so that what it used is known to the last moment. */
export class FinalMeter implements AsyncDisposable {
  readonly #machine: MachineHandle;
  readonly #process: ProcessIdentity;
  readonly #ends = new AbortController();
  #figures: ProcessFigures | undefined;
  #disk: DiskTraffic | undefined;
  #asking: Promise<void> = Promise.resolve();

  private constructor(machine: MachineHandle, process: ProcessIdentity) {
    this.#machine = machine;
    this.#process = process;
  }

  /** Takes the first reading, and goes on asking for the disks' until it is disposed. */
  static async start(machine: MachineHandle, process: ProcessIdentity): Promise<FinalMeter> {
    const meter = new FinalMeter(machine, process);
    await meter.#askDisks();
    meter.sample();
    meter.#asking = meter.#goOnAsking().catch(() => {
      // Interrupted by its end.
    });
    return meter;
  }

  /** Reads what the kernel tells. Called as often as the process is looked at. */
  sample(): void {
    this.#figures = readProcessFigures(this.#process) ?? this.#figures;
  }

  /** What was read last. */
  get latest(): RunFigures | undefined {
    return this.#figures && { process: this.#process, ...this.#figures, disk: this.#disk };
  }

  async #goOnAsking(): Promise<void> {
    for (;;) {
      await pause(DISK_INTERVAL_MS, this.#ends.signal);
      await this.#askDisks();
    }
  }

  async #askDisks(): Promise<void> {
    this.#disk = (await readDiskTraffic(this.#machine)) ?? this.#disk;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ends.abort();
    await this.#asking;
  }
}
