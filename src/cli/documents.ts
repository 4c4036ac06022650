import type { ReportEvent } from '../context.ts';
import type { PortForward } from '../machine/record.ts';
import type { ExecOutcome } from '../operations/exec.ts';
import type { BoxOutlook } from '../operations/plan/box-outlook.ts';
import type { UpPlan } from '../operations/plan/plan-up.ts';
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

export function upDocument(outcome: UpOutcome) {
  const { machine, created, started, resumed, ready, stepsRun, steps, pending, forwards } = outcome;
  return {
    machine,
    created,
    started,
    resumed,
    ready,
    steps_run: stepsRun,
    steps,
    pending: pending.map(({ setting, needs }) => ({ setting, needs })),
    forwards: forwards.map(forwardDocument),
  };
}

export function planDocument({ machine, action, reason, box, steps, removedSteps, settings, isUpToDate }: UpPlan) {
  return {
    machine,
    action,
    reason: reason ?? null,
    box: box === undefined ? null : outlookDocument(box),
    steps: steps.map(({ scriptPath, ...step }) => ({ ...step, script: scriptPath ?? null })),
    removed_steps: removedSteps,
    settings,
    up_to_date: isUpToDate,
  };
}

function outlookDocument(outlook: BoxOutlook) {
  switch (outlook.kind) {
    case 'here':
      return { name: outlook.box.name, version: outlook.box.version, get: null, from: null };
    case 'absent':
    case 'unlocked':
      return { name: outlook.name, version: null, get: outlook.by, from: outlook.from };
    case 'nowhere':
      return { name: outlook.name, version: null, get: null, from: null };
  }
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
