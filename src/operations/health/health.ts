import type { MachineRecord } from '../../machine/record.ts';
import type { HealthcheckSpec } from '../../machinefile/spec.ts';
import type { RecordedMachine } from '../../providers/provider.ts';
import { LazyGuest } from '../guest.ts';
import type { Services } from '../services.ts';
import { checkHealth } from './check.ts';

/** What a health check tells of a machine. */
export type Health = 'healthy' | 'unhealthy' | 'starting';

/**
 * What a single check comes down to. Nobody watches machines between two commands, so nobody counts failures in a row:
 * one that runs no longer than it takes to fail `retries` times may still be starting, every other has had its chances.
 */
export function healthOf(
  { startPeriodMs, retries, intervalMs }: HealthcheckSpec,
  { hasPassed, runningForMs }: { readonly hasPassed: boolean; readonly runningForMs: number },
): Health {
  if (hasPassed) return 'healthy';
  return runningForMs < startPeriodMs + retries * intervalMs ? 'starting' : 'unhealthy';
}

/** Since the machine was started. */
export function runningForMs({ started }: MachineRecord): number {
  return started === undefined ? 0 : Date.now() - Date.parse(started.at);
}

/** Checks a running machine once. Takes a login and the check's own time. */
export async function observeHealth(
  machine: RecordedMachine,
  healthcheck: HealthcheckSpec,
  services: Services,
): Promise<Health> {
  await using guest = new LazyGuest(machine, services);
  const { hasPassed } = await checkHealth(guest, healthcheck, services.signal);
  return healthOf(healthcheck, { hasPassed, runningForMs: runningForMs(machine.record) });
}
