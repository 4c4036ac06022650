import { asRoot, sudoHint } from '../../communicators/as-root.ts';
import type { Communicator } from '../../communicators/communicator.ts';
import { GuestError } from '../../errors.ts';
import type { Services } from '../services.ts';

/** The guest's time since its boot in hundredths of a second, and what the host's clock showed then. */
interface Moment {
  readonly uptimeCs: number;
  readonly hostMs: number;
}

const UPTIME_SCRIPT = `read -r uptime _ </proc/uptime; echo "\${uptime%.*}\${uptime#*.}"`;

/** How often it is asked: the quickest answer tells best when it was given. */
const QUESTIONS = 2;

/**
 * Sets a guest's clock to the host's. What is told is how its uptime and the host's clock belong together, so that it does
 * not matter how long the guest takes to begin. A guest that cannot be set is warned of.
 */
export async function setGuestClock(guest: Communicator, machine: string, services: Services): Promise<void> {
  try {
    const moment = await findMoment(guest, services.signal);
    const script = asRoot(clockScript(moment));
    const { exitCode, stderr } = await guest.exec({ script, signal: services.signal });
    if (exitCode !== 0) throw new GuestError(stderr.trim(), { hint: sudoHint(stderr) });
  } catch (error) {
    if (!(error instanceof GuestError)) throw error;
    const text = `its clock is behind, and could not be set: ${error.message}${error.hint ? ` (${error.hint})` : ''}`;
    services.reporter.report({ type: 'message', level: 'warning', subject: machine, text });
  }
}

async function findMoment(guest: Communicator, signal: AbortSignal): Promise<Moment> {
  let best: (Moment & { readonly tookMs: number }) | undefined;
  for (let asked = 0; asked < QUESTIONS; asked++) {
    const askedMs = Date.now();
    const { stdout } = await guest.exec({ script: UPTIME_SCRIPT, signal });
    const tookMs = Date.now() - askedMs;
    const uptimeCs = Number(stdout.trim());
    if (!Number.isSafeInteger(uptimeCs) || uptimeCs <= 0) throw new GuestError('it does not tell its uptime');
    if (best === undefined || tookMs < best.tookMs) best = { uptimeCs, hostMs: askedMs + tookMs / 2, tookMs };
  }
  if (best === undefined) throw new Error('it was asked at least once');
  return best;
}

/**
 * A POSIX shell program that sets the clock. Busybox sets it to whole seconds only: it waits for the next. The hardware
 * clock takes its time, and nobody waits for it. Pure.
 */
export function clockScript({ uptimeCs, hostMs }: Moment): string {
  return `set -e
now() {
  read -r uptime _ </proc/uptime
  echo $((\${uptime%.*}\${uptime#*.} + ${Math.round(hostMs / 10) - uptimeCs}))
}
now=$(now)
if ! date -u -s "@\${now%??}.\${now#"\${now%??}"}" >/dev/null 2>&1; then
  now=$(now)
  rest=$((200 - 1\${now#"\${now%??}"}))
  sleep "$((rest / 100)).$(printf %02d $((rest % 100)))"
  date -u -s "@$((\${now%??} + 1))" >/dev/null
fi
command -v hwclock >/dev/null || exit 0
hwclock -u -w </dev/null >/dev/null 2>&1 &`;
}
