import type { ReportEvent } from '../context.ts';
import type { PortForward } from '../machine/record.ts';
import type { ExecOutcome } from '../operations/exec.ts';
import type { PortChange } from '../operations/ports/locked-machine.ts';
import type { ProvisionOutcome } from '../operations/provision/provision.ts';
import type { UpOutcome } from '../operations/up/machine.ts';
import type { TimedPhase } from './reporters.ts';

/** What `--json` prints, in one spelling: docs/json.md describes it. All pure. */

export function eventDocument(event: ReportEvent) {
  if (event.type !== 'phase') return event;
  const { elapsedMs, ...rest } = event;
  return elapsedMs === undefined ? rest : { ...rest, elapsed_ms: roundMs(elapsedMs) };
}

export function forwardDocument({ hostIp, host, guest, protocol, addedAs }: PortForward) {
  return { host_ip: hostIp, host, guest, protocol, added: addedAs !== undefined };
}

export function portChangeDocument({ machine, ports, forwards }: PortChange) {
  return { machine, ports: ports.map(forwardDocument), forwards: forwards.map(forwardDocument) };
}

export function upDocument({ machine, created, started, ready, stepsRun, stepsCached, forwards }: UpOutcome) {
  return {
    machine,
    created,
    started,
    ready,
    steps_run: stepsRun,
    steps_cached: stepsCached,
    forwards: forwards.map(forwardDocument),
  };
}

export function provisionDocument({ machine, stepsRun }: ProvisionOutcome) {
  return { machine, steps_run: stepsRun };
}

export function execDocument({ machine, exitCode }: ExecOutcome) {
  return { machine, exit_code: exitCode };
}

export function phaseDocument({ subject, phase, elapsedMs }: TimedPhase) {
  return { subject, phase, elapsed_ms: roundMs(elapsedMs) };
}

/** Clocks tell more digits than they know. */
function roundMs(ms: number): number {
  return Math.round(ms * 10) / 10;
}
