import type { MachineSettings } from '../source.ts';
import type { DependencySpec, HealthcheckSpec } from '../spec.ts';
import { parseDuration } from '../units.ts';

/** Those of Compose. */
const DEFAULT_INTERVAL_MS = 30_000;
const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_RETRIES = 3;

/** In a list each must be started, as in Compose. */
export function resolveDependencies({ depends_on: dependsOn = [] }: MachineSettings): DependencySpec[] {
  if (Array.isArray(dependsOn)) return [...new Set(dependsOn)].map((name) => ({ name, condition: 'started' }));
  return Object.entries(dependsOn).map(([name, condition]) => ({ name, condition }));
}

export function resolveHealthcheck({ healthcheck }: MachineSettings): HealthcheckSpec | undefined {
  if (healthcheck === undefined) return undefined;
  const { command, interval, timeout, retries = DEFAULT_RETRIES, start_period: startPeriod } = healthcheck;
  return {
    command,
    intervalMs: millisecondsOf(interval) ?? DEFAULT_INTERVAL_MS,
    timeoutMs: millisecondsOf(timeout) ?? DEFAULT_TIMEOUT_MS,
    retries,
    startPeriodMs: millisecondsOf(startPeriod) ?? 0,
  };
}

function millisecondsOf(duration: string | undefined): number | undefined {
  return duration === undefined ? undefined : parseDuration(duration);
}
