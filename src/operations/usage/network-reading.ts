import { existsSync } from 'node:fs';
import type { Communicator } from '../../communicators/communicator.ts';
import { execCommand } from '../../communicators/openssh.ts';
import { VmError } from '../../errors.ts';
import { run } from '../../host/exec.ts';
import { systemErrorCode } from '../../host/files.ts';
import { runtimeLayout } from '../../machine/layout.ts';
import type { GuestNetworkReading } from '../../machine/usage-ledger.ts';
import type { RecordedMachine } from '../../providers/provider.ts';
import { endpointOf, opensshTarget } from '../guest.ts';
import type { Services } from '../services.ts';

/**
 * QEMU counts nothing of what its networks carry, so the guest is asked, which for Linux is: its boot, because its
 * counters begin anew with it; which interfaces are cards, because bridges and tunnels carry the same bytes once more; all
 * counters.
 */
const SCRIPT = 'cat /proc/sys/kernel/random/boot_id; ls -d /sys/class/net/*/device; cat /proc/net/dev';

/** For a login and the answer. An emulated guest on a busy host needs a second. */
const LOGIN_DEADLINE_MS = 3_000;
const ANSWER_DEADLINE_MS = 1_000;

/** Takes the answer of a guest apart; undefined where it is none, as of a guest that is not Linux. Pure. */
export function parseGuestNetwork(answer: string): GuestNetworkReading | undefined {
  const [guestBootId = '', ...lines] = answer.split('\n');
  if (!/^[0-9a-f-]{36}$/.test(guestBootId)) return undefined;
  const cards = new Set(lines.flatMap((line) => /^\/sys\/class\/net\/(.+)\/device$/.exec(line)?.[1] ?? []));
  const counters = lines.flatMap((line) => parseCounters(line) ?? []).filter(({ name }) => cards.has(name));
  const inBytes = counters.reduce((sum, counter) => sum + counter.inBytes, 0);
  const outBytes = counters.reduce((sum, counter) => sum + counter.outBytes, 0);
  if (!Number.isSafeInteger(inBytes) || !Number.isSafeInteger(outBytes)) return undefined;
  return { guestBootId, traffic: { inBytes, outBytes } };
}

/** A line of /proc/net/dev: after the name eight counters of what was received, then those of what was sent; bytes first. */
function parseCounters(line: string): { name: string; inBytes: number; outBytes: number } | undefined {
  const [, name, counters = ''] = /^\s*([^:\s]+):\s*(\d[\d\s]*)$/.exec(line) ?? [];
  const numbers = counters.split(/\s+/).map(Number);
  return name === undefined ? undefined : { name, inBytes: numbers[0] ?? 0, outBytes: numbers[8] ?? 0 };
}

/** Asks over a connection that is open; undefined where the guest does not answer, or not soon. */
export function askGuest(guest: Communicator, signal: AbortSignal): Promise<GuestNetworkReading | undefined> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_DEADLINE_MS)]);
  return unlessSilent(async () => parseGuestNetwork((await guest.exec({ script: SCRIPT, signal: deadline })).stdout));
}

/** Logs in and asks; undefined where that does not work, or not soon. */
export function askByLogin(machine: RecordedMachine, services: Services): Promise<GuestNetworkReading | undefined> {
  return unlessSilent(async () => {
    await using guest = await logIn(machine, services);
    return await askGuest(guest, services.signal);
  });
}

/** A connection for asking. @throws VmError where the guest does not let in soon. */
export async function logIn(machine: RecordedMachine, { guests, signal }: Services): Promise<Communicator> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(LOGIN_DEADLINE_MS)]);
  return guests.connect(await endpointOf(machine), { signal: deadline, timeoutMs: LOGIN_DEADLINE_MS });
}

/**
 * Asks over the connection that the system's ssh shares, if one is open: no other is made for this. Undefined where there
 * is none, or the guest does not answer soon.
 */
export function askOverSharedConnection(machine: RecordedMachine): Promise<GuestNetworkReading | undefined> {
  return unlessSilent(async () => {
    if (!existsSync(runtimeLayout(machine.record.runtimeDir).sshControlPath)) return undefined;
    const target = await opensshTarget(machine);
    // With a master that is gone ssh would log in itself; this way of connecting fails at once.
    const extraArgs = ['-o', 'ControlMaster=no', '-o', 'ProxyCommand=false'];
    const command = execCommand({ ...target, extraArgs }, ['sh', '-c', SCRIPT], false);
    const { stdout } = await run(command, { timeoutMs: ANSWER_DEADLINE_MS });
    return parseGuestNetwork(stdout);
  });
}

/** Undefined where what is asked fails: figures are wanted, but nothing fails for want of them. */
export async function unlessSilent<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    // A system error: the machine's folder has gone, or its socket.
    if (error instanceof VmError || systemErrorCode(error) !== undefined) return undefined;
    throw error;
  }
}
