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
 * reached the server, which is starting a process for it. Another one would only make it slower.
 */
const ONCE_GUEST_ANSWERS_MS = 1500;

/** Pauses after a connection was turned down: the first, the factor, the longest. */
const BACKOFF = { firstMs: 20, factor: 1.25, maxMs: 250 };

/**
 * Connects again and again until an SSH server answers, and gives that connection away with nothing of it consumed.
 * Has no deadline of its own: `signal` ends it.
 * @throws InterruptedError when `signal` is aborted.
 */
export async function findServer(
  address: ServerAddress,
  { signal, isBooting, networkMark }: SearchOptions,
  deps: SearchDeps = { openProbe: openBannerProbe, pause },
): Promise<Socket> {
  let hanging: BannerProbe[] = []; // oldest first
  let guestAnswers = false;
  let pauseMs = BACKOFF.firstMs;
  try {
    if (isBooting) await nextOccasion(networkMark, signal, deps);
    for (;;) {
      hanging.push(deps.openProbe(address));
      const first = await firstOutcome(hanging, (stop) => {
        const either = AbortSignal.any([signal, stop]);
        return guestAnswers ? deps.pause(ONCE_GUEST_ANSWERS_MS, either) : nextOccasion(networkMark, either, deps);
      });
      if (first === undefined) {
        hanging = abandonAllBut(KEEP, hanging);
        continue;
      }
      hanging = hanging.filter((probe) => probe !== first.probe);
      if (typeof first.outcome === 'object') return first.outcome;
      if (first.outcome === 'closed' && !guestAnswers) {
        guestAnswers = true;
        pauseMs = BACKOFF.firstMs;
      }
      await deps.pause(pauseMs, signal);
      pauseMs = Math.min(pauseMs * BACKOFF.factor, BACKOFF.maxMs);
    }
  } finally {
    abandonAllBut(0, hanging);
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
