import { UsageError } from '../../errors.ts';
import type { StepRecord } from '../../machine/record.ts';
import type { StepSpec } from '../../machinefile/spec.ts';

/** Which steps the user wants to run. */
export type ProvisionChoice =
  /** Those that have not succeeded yet, and those that always run. */
  | { readonly kind: 'missing' }
  /** Every step but those that never run by themselves. */
  | { readonly kind: 'all' }
  | { readonly kind: 'none' }
  /** Those with these names or types, also if they never run by themselves. */
  | { readonly kind: 'named'; readonly names: readonly string[] };

/** Why a step runs or not. */
export type StepDecision =
  | { readonly run: true; readonly reason: 'new' | 'always' | 'asked' }
  | { readonly run: false; readonly reason: 'done' | 'changed' | 'never' | 'not_asked' };

/** Decides about one step. Pure. */
export function decideStep(
  step: StepSpec,
  choice: ProvisionChoice,
  done: { readonly record: StepRecord | undefined; readonly fingerprint: string },
): StepDecision {
  switch (choice.kind) {
    case 'none':
      return { run: false, reason: 'not_asked' };
    case 'named':
      return isNamed(step, choice.names) ? { run: true, reason: 'asked' } : { run: false, reason: 'not_asked' };
    case 'all':
      return step.run === 'never' ? { run: false, reason: 'never' } : { run: true, reason: 'asked' };
    case 'missing':
      if (step.run === 'never') return { run: false, reason: 'never' };
      if (step.run === 'always') return { run: true, reason: 'always' };
      if (done.record === undefined) return { run: true, reason: 'new' };
      return { run: false, reason: done.record.fingerprint === done.fingerprint ? 'done' : 'changed' };
  }
}

function isNamed(step: StepSpec, names: readonly string[]): boolean {
  return names.includes(step.name) || names.includes(step.action.type);
}

/** @throws UsageError for a name that no step of any machine has. */
export function checkNamedSteps(choice: ProvisionChoice, steps: readonly StepSpec[]): void {
  if (choice.kind !== 'named') return;
  const unknown = choice.names.find((name) => !steps.some((step) => isNamed(step, [name])));
  if (unknown === undefined) return;
  throw new UsageError(`no provisioning step is called ${unknown}`, {
    hint: `steps: ${[...new Set(steps.map((step) => step.name))].join(', ') || '(none)'}`,
  });
}
