import { inPhase, type RunContext } from '../../context.ts';
import { GuestError } from '../../errors.ts';
import { pause } from '../../host/wait.ts';
import { lastLines } from '../../machine/console-text.ts';
import type { MachineRecord } from '../../machine/record.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import { type CheckedGuest, checkHealth, type FailedCheck } from './check.ts';
import { runningForMs } from './health.ts';

/**
 * Runs the machine's health check until it passes: at once, then in its interval. Returns at once where there is none.
 * @throws GuestError with its last output, when it has failed as often in a row as it may.
 */
export async function awaitHealthy(
  { spec, record, guest }: { readonly spec: MachineSpec; readonly record: MachineRecord; readonly guest: CheckedGuest },
  context: RunContext,
): Promise<void> {
  const { healthcheck, name } = spec;
  if (healthcheck === undefined) return;
  const { signal, reporter } = context;
  await inPhase(context, name, 'health', async () => {
    let failures = 0;
    for (;;) {
      const isStarting = runningForMs(record) < healthcheck.startPeriodMs;
      const result = await checkHealth(guest, healthcheck, signal);
      if (result.hasPassed) return;
      if (!isStarting) failures++;
      if (failures >= healthcheck.retries) throw unhealthy(name, failures, result);
      const count = isStarting ? 'still in its start period' : `failure ${failures} of ${healthcheck.retries}`;
      reporter.report({ type: 'progress', subject: name, text: `health check: ${result.reason}, ${count}` });
      await pause(healthcheck.intervalMs, signal);
    }
  });
}

function unhealthy(machine: string, failures: number, { reason, exitCode, output }: FailedCheck): GuestError {
  const often = failures === 1 ? '' : ` ${failures} times in a row`;
  const printed = output.trim() === '' ? '' : `\n${lastLines(output)}`;
  return new GuestError(`${machine} is not healthy: its health check failed${often} (${reason})${printed}`, {
    exitCode,
    hint: `${machine} is left running: vm ssh ${machine} to look, vm up --wait ${machine} to check it again`,
  });
}
