import { asRoot, sudoHint } from '../../communicators/as-root.ts';
import type { Communicator } from '../../communicators/communicator.ts';
import type { Services } from '../services.ts';

const QUESTION = 'machinefile: what time is it?';

/**
 * Sets a guest's clock to the host's. A guest that cannot be set is warned of.
 * @throws GuestError where it runs no commands.
 */
export async function setGuestClock(guest: Communicator, machine: string, services: Services): Promise<void> {
  const { exitCode, stderr } = await guest.exec({
    script: asRoot(CLOCK_SCRIPT),
    answer: (line) => (line === QUESTION ? hostTime() : undefined),
    signal: services.signal,
  });
  if (exitCode === 0) return;
  const hint = sudoHint(stderr);
  const text = `its clock is behind, and could not be set: ${stderr.trim()}${hint ? ` (${hint})` : ''}`;
  services.reporter.report({ type: 'message', level: 'warning', subject: machine, text });
}

/** In hundredths of a second, as a guest tells its uptime. */
function hostTime(): string {
  return `${Math.round(Date.now() / 10)}\n`;
}

/**
 * A POSIX shell program. By its uptime it knows when it asked what time it is, and when it was told: of two answers the
 * quicker one tells best. Busybox sets the clock to whole seconds only: it waits for the next. The hardware clock takes
 * its time, and nobody waits for it.
 */
const CLOCK_SCRIPT = `set -e
read_uptime() {
  read -r uptime _ </proc/uptime
  uptime=\${uptime%.*}\${uptime#*.}
}
read_now() {
  read_uptime
  now=$((uptime + ahead))
}
quickest=
for question in 1 2; do
  read_uptime
  asked=$uptime
  echo '${QUESTION}'
  read -r told
  read_uptime
  took=$((uptime - asked))
  [ -n "$quickest" ] && [ "$took" -ge "$quickest" ] || quickest=$took ahead=$((told - asked - took / 2))
done
read_now
if ! date -u -s "@\${now%??}.\${now#"\${now%??}"}" >/dev/null 2>&1; then
  read_now
  rest=$((200 - 1\${now#"\${now%??}"}))
  sleep "$((rest / 100)).$(printf %02d $((rest % 100)))"
  date -u -s "@$((\${now%??} + 1))" >/dev/null
fi
command -v hwclock >/dev/null || exit 0
hwclock -u -w </dev/null >/dev/null 2>&1 &`;
