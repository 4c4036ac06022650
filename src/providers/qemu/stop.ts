import { rm } from 'node:fs/promises';
import { StateError } from '../../errors.ts';
import type { ProcessIdentity } from '../../host/processes.ts';
import { pause } from '../../host/wait.ts';
import { runtimeLayout } from '../../machine/layout.ts';
import type { MachineHandle, StopOptions, StopOutcome, Stopped } from '../provider.ts';
import { FinalMeter } from './meter.ts';
import { endsWithin, findQemu } from './process.ts';
import { withMonitor } from './qmp.ts';

const GUEST_POWEROFF_TIMEOUT_MS = 15_000;
const QUIT_TIMEOUT_MS = 5_000;
const KILL_TIMEOUT_MS = 10_000;
const MONITOR_TIMEOUT_MS = 2_000;
/** A guest that is still booting does not hear the button: it is pressed again. */
const BUTTON_INTERVAL_MS = 3_000;

interface Rung {
  readonly outcome: StopOutcome;
  readonly timeoutMs: number;
  act(signal: AbortSignal): Promise<void>;
}

/** Goes down the ladder: power button, poweroff in the guest, QMP `quit`, SIGKILL; each after its time. */
export async function stopQemu(machine: MachineHandle, options: StopOptions, signal: AbortSignal): Promise<Stopped> {
  const qemu = findQemu(machine);
  if (qemu === undefined) return { outcome: 'already_stopped', lastFigures: undefined };
  await using meter = await FinalMeter.start(machine, qemu);
  for (const rung of stopLadder(machine, qemu, options)) {
    if (await descend(rung, { qemu, meter, signal })) {
      await rm(machine.layout.pidPath, { force: true });
      return { outcome: rung.outcome, lastFigures: meter.latest };
    }
  }
  throw new StateError(`${machine.name}: QEMU (pid ${qemu.pid}) does not end, not even by SIGKILL`, {
    hint: 'it may hang in the kernel: `cat /proc/PID/stack` as root shows where',
  });
}

function stopLadder(machine: MachineHandle, qemu: ProcessIdentity, options: StopOptions): Rung[] {
  const { monitorPath } = runtimeLayout(machine.runtimeDir);
  const tell = async (...commands: string[]) => {
    await withMonitor(monitorPath, MONITOR_TIMEOUT_MS, async (monitor) => {
      for (const command of commands) await monitor.execute(command);
    });
  };
  const byForce: Rung[] = [
    { outcome: 'quit', timeoutMs: QUIT_TIMEOUT_MS, act: () => tell('quit') },
    { outcome: 'killed', timeoutMs: KILL_TIMEOUT_MS, act: async () => kill(qemu) },
  ];
  if (options.force) return byForce;
  return [
    {
      outcome: 'power_button',
      timeoutMs: options.haltTimeoutMs,
      // A paused guest (its disk was full, say) hears nothing until it runs on.
      act: (signal) => pressRepeatedly(() => tell('cont', 'system_powerdown'), signal),
    },
    { outcome: 'guest_poweroff', timeoutMs: GUEST_POWEROFF_TIMEOUT_MS, act: () => options.powerOffGuest() },
    ...byForce,
  ];
}

interface Descent {
  readonly qemu: ProcessIdentity;
  readonly meter: FinalMeter;
  readonly signal: AbortSignal;
}

/** Whether the rung's action ended QEMU in its time. The action is given up when the time is over. */
async function descend(rung: Rung, { qemu, meter, signal }: Descent): Promise<boolean> {
  const rungEnds = new AbortController();
  const acting = rung.act(AbortSignal.any([signal, rungEnds.signal])).catch(() => {
    // A rung that cannot act (no monitor, no SSH) is passed when its time is over; the next one is stronger.
  });
  try {
    return await endsWithin(qemu, rung.timeoutMs, { signal, onLook: () => meter.sample() });
  } finally {
    rungEnds.abort();
    await acting;
  }
}

async function pressRepeatedly(press: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await press();
    await pause(BUTTON_INTERVAL_MS, signal);
  }
}

function kill({ pid }: ProcessIdentity): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it ended a moment before
  }
}
