import { pause } from '../../host/wait.ts';
import { handleOf, type RunFigures } from '../../providers/provider.ts';
import { findTargets, type Project, requireSpec } from '../project.ts';
import type { Services } from '../services.ts';
import { isReady, memoryGivenTo } from '../usage/run-readings.ts';
import { GuestCounter } from './guest-counter.ts';
import { type MachineStats, statsOf, statsOfStopped } from './machine-stats.ts';

const INTERVAL_MS = 1_000;

/**
 * What the selected machines take of the host, read twice a second apart. Waits for no lock, and for a guest a few seconds at
 * most.
 */
export async function stats(
  project: Project,
  patterns: readonly string[],
  services: Services,
): Promise<MachineStats[]> {
  await using meters = await Meters.open(project, patterns, services);
  await meters.prepare();
  return await meters.read();
}

export interface StatsRequest {
  readonly patterns: readonly string[];
  /** Whether the first reading has everything; else it comes at once, without what needs two, or an answer of the guest. */
  readonly startsWhole: boolean;
}

/** The same each second until `signal` is aborted. @throws InterruptedError then. */
export async function* followStats(
  project: Project,
  { patterns, startsWhole }: StatsRequest,
  services: Services,
): AsyncGenerator<MachineStats[]> {
  await using meters = await Meters.open(project, patterns, services);
  if (startsWhole) await meters.prepare();
  for (;;) {
    yield await meters.read();
    await pause(INTERVAL_MS, services.signal);
  }
}

class Meters implements AsyncDisposable {
  readonly #meters: readonly MachineMeter[];
  readonly #signal: AbortSignal;

  private constructor(meters: readonly MachineMeter[], signal: AbortSignal) {
    this.#meters = meters;
    this.#signal = signal;
  }

  /** @throws the Machinefile's own error, where no machine exists either. */
  static async open(project: Project, patterns: readonly string[], services: Services): Promise<Meters> {
    const targets = await findTargets(project, patterns);
    if (targets.length === 0) requireSpec(project);
    const meters = targets.map(({ name }) => new MachineMeter(project, name, services));
    return new Meters(meters, services.signal);
  }

  read(): Promise<MachineStats[]> {
    return Promise.all(this.#meters.map((meter) => meter.read()));
  }

  /** Takes a first reading, which the next is compared with, and waits for the guests' first answers. */
  async prepare(): Promise<void> {
    await this.read();
    await pause(INTERVAL_MS, this.#signal);
    await Promise.all(this.#meters.map(({ counter }) => counter.answered()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#meters.map(({ counter }) => counter[Symbol.asyncDispose]()));
  }
}

/** Reads one machine, which may stop, be destroyed and be made anew meanwhile. */
class MachineMeter {
  readonly counter: GuestCounter;
  readonly #project: Project;
  readonly #name: string;
  readonly #services: Services;
  #previous: RunFigures | undefined;

  constructor(project: Project, name: string, services: Services) {
    this.#project = project;
    this.#name = name;
    this.#services = services;
    this.counter = new GuestCounter(services);
  }

  async read(): Promise<MachineStats> {
    const { states } = this.#project;
    const record = await states.readIfWhole(this.#name);
    if (record === undefined) return statsOfStopped(this.#name);
    const machine = { record, layout: states.layout(this.#name) };
    const figures = await this.#services.providers[record.provider].meter(handleOf(machine));
    if (figures === undefined) return statsOfStopped(this.#name);
    const previous = this.#previous;
    this.#previous = figures;
    const network = isReady(record, figures) ? this.counter.latest(machine, figures.process) : undefined;
    return statsOf(this.#name, { figures, previous, memoryLimitBytes: memoryGivenTo(record), network });
  }
}
