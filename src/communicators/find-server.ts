import type { Socket } from 'node:net';
import { pause } from '../host/wait.ts';
import { type BannerProbe, openBannerProbe, type ProbeOutcome } from './banner-probe.ts';

/** What the search for a server does to the world; replaced in tests. */
export interface SearchDeps {
  openProbe(address: ServerAddress): BannerProbe;
  pause(ms: number, signal: AbortSignal): Promise<void>;
}

export interface ServerAddress {
  readonly hostIp: string;
  readonly port: number;
}

export interface SearchOptions {
  readonly signal: AbortSignal;
  /** The machine was started this moment: until its guest touches the network card no connection can come to anything. */
  readonly isBooting: boolean;
  /** Changes when the guest sets up its network card; undefined where that cannot be seen. */
  networkMark(): Promise<string | undefined>;
}

/**
 * While the guest has no network, connections hang. Each one makes QEMU ask for the guest once and then again only
 * after 6 s and 18 s (libslirp's retransmission), so new ones are needed. But those given up are delivered, too, when
 * that time comes, and each is a login that the guest's server must begin: it slows an emulated guest down by half a
 * second, and dropbear refuses a sixth. So there are few, and the guest's network card tells when one is worth it.
 */
const OCCASION = { pollMs: 200, latestMs: { blind: 3000, watched: 10_000 } };

/** How many are left hanging. */
const KEEP = 3;

/**
 * Once the guest's kernel has turned a connection down, its network is up: a connection that hangs now has most likely
 * reached the server, which is starting a process for it. Another one would only make it slower, and giving up the one
 * that hangs would waste what the guest has done for it: on a busy host a guest that is asked faster than it can answer
 * never comes to an end (seen at 5 s an answer). So none is given up, and each time the next one waits longer.
 */
const ONCE_GUEST_ANSWERS = { firstMs: 1500, factor: 2, maxMs: 30_000 };

/** Pauses after a connection was turned down: the first, the factor, the longest. */
const BACKOFF = { firstMs: 20, factor: 1.25, maxMs: 250 };

/**
 * Connects again and again until an SSH server answers, and gives that connection away with nothing of it consumed.
 * Has no deadline of its own: `signal` ends it.
 * @throws InterruptedError when `signal` is aborted.
 */
export async function findServer(
  address: ServerAddress,
  options: SearchOptions,
  deps: SearchDeps = { openProbe: openBannerProbe, pause },
): Promise<Socket> {
  const { signal, isBooting, networkMark } = options;
  using search = new Search(options, deps);
  if (isBooting) await nextOccasion(networkMark, signal, deps);
  for (let isTimeForAnother = true; ; ) {
    if (isTimeForAnother) search.open(address);
    const first = await firstOutcome(search.probes(), (stop) => search.timeForAnother(stop));
    if (first === undefined) {
      search.goOn();
      isTimeForAnother = true;
      continue;
    }
    const { probe, outcome } = first;
    if (typeof outcome === 'object') return search.take(probe, outcome);
    isTimeForAnother = await search.turnedDown(probe, outcome);
  }
}

/** The connections that are on their way, and what is known of the guest. Disposing it gives them up. */
class Search implements Disposable {
  readonly #options: SearchOptions;
  readonly #deps: SearchDeps;
  /** Opened before the guest's network was known to be up; oldest first. */
  #early: BannerProbe[] = [];
  /** Opened since: the server has them, or will soon. */
  #pending: BannerProbe[] = [];
  #guestAnswers = false;
  #pauseMs = BACKOFF.firstMs;
  #patienceMs = ONCE_GUEST_ANSWERS.firstMs;

  constructor(options: SearchOptions, deps: SearchDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  open(address: ServerAddress): void {
    (this.#guestAnswers ? this.#pending : this.#early).push(this.#deps.openProbe(address));
  }

  probes(): BannerProbe[] {
    return [...this.#early, ...this.#pending];
  }

  /** Resolves when none of them has come to anything for long enough. */
  timeForAnother(stop: AbortSignal): Promise<void> {
    const { signal, networkMark } = this.#options;
    const either = AbortSignal.any([signal, stop]);
    return this.#guestAnswers
      ? this.#deps.pause(this.#patienceMs, either)
      : nextOccasion(networkMark, either, this.#deps);
  }

  /** Before another is opened beside those that hang. */
  goOn(): void {
    if (this.#guestAnswers) {
      this.#patienceMs = Math.min(this.#patienceMs * ONCE_GUEST_ANSWERS.factor, ONCE_GUEST_ANSWERS.maxMs);
    } else this.#early = abandonAllBut(KEEP, this.#early);
  }

  take(probe: BannerProbe, server: Socket): Socket {
    this.#forget(probe);
    return server;
  }

  /** Resolves after a pause with whether another is worth trying. */
  async turnedDown(probe: BannerProbe, outcome: 'refused' | 'closed'): Promise<boolean> {
    this.#forget(probe);
    if (outcome === 'closed' && !this.#guestAnswers) {
      this.#guestAnswers = true;
      this.#pauseMs = BACKOFF.firstMs;
    }
    // A server that turns one away while it works on others has enough of them.
    if (this.#pending.length > 0) return false;
    await this.#deps.pause(this.#pauseMs, this.#options.signal);
    this.#pauseMs = Math.min(this.#pauseMs * BACKOFF.factor, BACKOFF.maxMs);
    return true;
  }

  #forget(probe: BannerProbe): void {
    this.#early = this.#early.filter((other) => other !== probe);
    this.#pending = this.#pending.filter((other) => other !== probe);
  }

  [Symbol.dispose](): void {
    abandonAllBut(0, this.probes());
  }
}

/** Resolves when the network card has been set up anew since this was called, or when it is time anyway. */
async function nextOccasion(
  networkMark: () => Promise<string | undefined>,
  signal: AbortSignal,
  deps: Pick<SearchDeps, 'pause'>,
): Promise<void> {
  let before = await networkMark();
  const latestMs = before === undefined ? OCCASION.latestMs.blind : OCCASION.latestMs.watched;
  for (let waitedMs = 0; waitedMs < latestMs; waitedMs += OCCASION.pollMs) {
    await deps.pause(OCCASION.pollMs, signal);
    const now = await networkMark();
    before ??= now;
    if (now !== undefined && now !== before) return;
  }
}

/** The first outcome of any, or undefined when time is up before. */
async function firstOutcome(
  probes: readonly BannerProbe[],
  waitForTime: (stop: AbortSignal) => Promise<void>,
): Promise<{ probe: BannerProbe; outcome: ProbeOutcome } | undefined> {
  const timer = new AbortController();
  const timeUp = waitForTime(timer.signal).then(() => undefined);
  const outcomes = probes.map(async (probe) => ({ probe, outcome: await probe.outcome }));
  try {
    return await Promise.race([...outcomes, timeUp]);
  } finally {
    timeUp.catch(() => {}); // stopped, because an outcome came first
    timer.abort();
  }
}

function abandonAllBut(keep: number, probes: readonly BannerProbe[]): BannerProbe[] {
  const tooMany = Math.max(0, probes.length - keep);
  for (const probe of probes.slice(0, tooMany)) probe.abandon();
  return probes.slice(tooMany);
}
