import type { Communicator } from '../../communicators/communicator.ts';
import { isSameProcess, type ProcessIdentity } from '../../host/processes.ts';
import type { GuestNetworkReading } from '../../machine/usage-ledger.ts';
import type { RecordedMachine } from '../../providers/provider.ts';
import type { Services } from '../services.ts';
import { askGuest, logIn, unlessSilent } from '../usage/network-reading.ts';

/** A guest that does not answer is left in peace for so long: each attempt is a login that it may get to later. */
const PAUSE_AFTER_SILENCE_MS = 10_000;

/** Asks a guest for its network's counters again and again, over one login. Disposing it closes the connection. */
export class GuestCounter implements AsyncDisposable {
  readonly #services: Services;
  /** Whose guest was asked last. */
  #process: ProcessIdentity | undefined;
  #connection: Communicator | undefined;
  #asking: Promise<void> | undefined;
  #silentUntilMs = 0;
  #latest: GuestNetworkReading | undefined;

  constructor(services: Services) {
    this.#services = services;
  }

  /** What it answered last. Asks anew, but waits for nothing. */
  latest(machine: RecordedMachine, process: ProcessIdentity): GuestNetworkReading | undefined {
    if (this.#asking === undefined && performance.now() >= this.#silentUntilMs) {
      this.#asking = this.#ask(machine, process).finally(() => {
        this.#asking = undefined;
      });
    }
    return isSameProcess(this.#process, process) ? this.#latest : undefined;
  }

  /** Waits for the answer that is due, which is never long. */
  async answered(): Promise<void> {
    await this.#asking;
  }

  async #ask(machine: RecordedMachine, process: ProcessIdentity): Promise<void> {
    if (!isSameProcess(this.#process, process)) await this.#disconnect();
    this.#process = process;
    this.#connection ??= await unlessSilent(() => logIn(machine, this.#services));
    this.#latest = this.#connection && (await askGuest(this.#connection, this.#services.signal));
    if (this.#latest !== undefined) return;
    this.#silentUntilMs = performance.now() + PAUSE_AFTER_SILENCE_MS;
    await this.#disconnect();
  }

  async #disconnect(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#latest = undefined;
    await connection?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#asking;
    await this.#disconnect();
  }
}
