import { UsageError } from '../../errors.ts';
import type { StepRecord } from '../../machine/record.ts';
import type { StepSpec } from '../../machinefile/step-spec.ts';
import type { PreparedStep } from '../../provisioners/provisioner.ts';

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

/** A step of the Machinefile, and what its content is now. */
export interface KnownStep {
  readonly step: StepSpec;
  readonly ready: Pick<PreparedStep, 'fingerprint' | 'parts'>;
}

/** A step with what was decided, and what of it is not as it was when it ran. */
export interface DecidedStep<Step extends KnownStep> {
  readonly known: Step;
  readonly decision: StepDecision;
  /** Names of parts, as in the Machinefile; `order` where a step that stood before it has come behind it. */
  readonly changed: readonly string[];
}

/** Decides about the steps of a machine, in their order, by what is recorded of those that ran. Pure. */
export function decideSteps<Step extends KnownStep>(
  steps: readonly Step[],
  choice: ProvisionChoice,
  records: Readonly<Record<string, StepRecord>>,
): DecidedStep<Step>[] {
  return steps.map((known, index) => {
    const record = records[known.step.name];
    const decision = decideStep(known.step, choice, { record, fingerprint: known.ready.fingerprint });
    const later = steps.slice(index + 1).map(({ step }) => step.name);
    const changed = record === undefined ? [] : changesSince(record, { ready: known.ready, later });
    return { known, decision, changed };
  });
}

function changesSince(
  { parts: before, after = [] }: StepRecord,
  { ready, later }: Pick<KnownStep, 'ready'> & { readonly later: readonly string[] },
): string[] {
  const names =
    before === undefined ? [] : Object.keys(ready.parts).filter((name) => before[name] !== ready.parts[name]);
  return after.some((name) => later.includes(name)) ? [...names, 'order'] : names;
}

/** Names of steps that ran and are not in the Machinefile any more: what they did is still there. Pure. */
export function removedSteps(
  steps: readonly Pick<StepSpec, 'name'>[],
  records: Readonly<Record<string, StepRecord>>,
): string[] {
  return Object.keys(records).filter((name) => !steps.some((step) => step.name === name));
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
