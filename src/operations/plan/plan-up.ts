import type { MachineRecord } from '../../machine/record.ts';
import type { PendingSetting, SettingNeed } from '../../machine/settings.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import {
  decideSteps,
  type KnownStep,
  type ProvisionChoice,
  removedSteps,
  type StepDecision,
} from '../provision/choice.ts';
import { isInstalledByHand } from '../up/by-hand.ts';
import type { BoxOutlook } from './box-outlook.ts';

/** What `up` finds when it comes to a machine. */
export interface UpFacts {
  readonly spec: MachineSpec;
  /** Absent: the Machinefile asks for none. */
  readonly box: BoxOutlook | undefined;
  readonly current: CurrentMachine;
  /** Whether what exists is destroyed first. */
  readonly recreate: boolean;
  readonly steps: readonly KnownStep[];
  readonly choice: ProvisionChoice;
}

export type CurrentMachine =
  | { readonly kind: 'none' }
  /** `up` cannot work with it. */
  | { readonly kind: 'broken'; readonly reason: string }
  | {
      readonly kind: 'stopped' | 'running' | 'paused' | 'suspended';
      readonly record: MachineRecord;
      /** What was edited and is not true of it yet, but for what `up` applies in any case. */
      readonly pending: readonly PendingSetting[];
      /** What was edited and `up` applies in any case. */
      readonly live: readonly string[];
    };

export type UpAction = 'create' | 'recreate' | 'start' | 'resume' | 'none' | 'fail';

/** What `up` would do with one machine, and why. */
export interface UpPlan {
  readonly machine: string;
  readonly action: UpAction;
  /** Why it would fail. */
  readonly reason: string | undefined;
  /** Of a machine that is to be made, or where it is to be got; absent: an empty disk, or there is nothing to tell. */
  readonly box: BoxOutlook | undefined;
  readonly steps: readonly PlannedStep[];
  /** Names of steps that ran and are not in the Machinefile any more. */
  readonly removedSteps: readonly string[];
  readonly settings: readonly PlannedSetting[];
  /** Nothing is to be done, now or by other commands; what every `up` does is not counted. */
  readonly isUpToDate: boolean;
}

export interface PlannedStep {
  readonly step: string;
  /** `by_hand`: nobody logs in to such a machine; `cached`: a layer has it. */
  readonly state: StepDecision['reason'] | 'cached' | 'by_hand';
  readonly runs: boolean;
  /** See `DecidedStep`. */
  readonly changed: readonly string[];
  /** The file that its script is in. */
  readonly scriptPath: string | undefined;
}

export interface PlannedSetting {
  readonly setting: string;
  readonly needs: SettingNeed;
  /** What applies it now. */
  readonly command: string;
}

/**
 * What `up` would do with a machine: the same decisions, without the work. `cached` are the names of the steps that a
 * layer has, on which a machine that is made would stand. Pure.
 */
export function planUp(facts: UpFacts, cached: ReadonlySet<string>): UpPlan {
  const { spec, current } = facts;
  const { action, reason } = actionOf(facts);
  const isMade = action === 'create' || action === 'recreate';
  const record = isMade || !('record' in current) ? undefined : current.record;
  const steps = planSteps(facts, record, cached);
  const settings = isMade || !('record' in current) ? [] : planSettings(spec.name, current);
  const removed = record === undefined ? [] : removedSteps(spec.provision, record.steps);
  return {
    machine: spec.name,
    action,
    reason,
    box: isMade || facts.box?.kind === 'absent' ? facts.box : undefined,
    steps,
    removedSteps: removed,
    settings,
    isUpToDate: action === 'none' && settings.length === 0 && removed.length === 0 && steps.every(isSettled),
  };
}

function actionOf(facts: UpFacts): Pick<UpPlan, 'action' | 'reason'> {
  const { current, recreate, box } = facts;
  const fail = (reason: string) => ({ action: 'fail', reason }) as const;
  const act = (action: UpAction) => ({ action, reason: undefined });
  if (current.kind === 'none' || recreate) {
    if (box?.kind === 'nowhere') return fail(`there is no box called ${box.name}`);
    return act(current.kind === 'none' ? 'create' : 'recreate');
  }
  switch (current.kind) {
    case 'broken':
      return fail(current.reason);
    case 'running':
      return act('none');
    case 'paused':
    case 'suspended':
      return act('resume');
    case 'stopped': {
      const blocking = current.pending.filter(({ blocksStart }) => blocksStart).map(({ setting }) => setting);
      if (blocking.length === 0) return act('start');
      return fail(`${blocking.join(', ')}: a disk cannot shrink, nor change its format`);
    }
  }
}

function planSteps(
  { box, steps, choice }: UpFacts,
  record: MachineRecord | undefined,
  cached: ReadonlySet<string>,
): PlannedStep[] {
  const isByHand = record === undefined ? box === undefined : isInstalledByHand(record);
  return decideSteps(steps, choice, record?.steps ?? {}).map(({ known: { step }, decision, changed }) => {
    const { script } = step.action;
    const scriptPath = script.kind === 'path' ? script.path : undefined;
    const rest = { step: step.name, changed, scriptPath };
    if (isByHand) return { ...rest, state: 'by_hand', runs: false };
    const isCached = record === undefined && decision.reason === 'new' && cached.has(step.name);
    return isCached
      ? { ...rest, state: 'cached', runs: false }
      : { ...rest, state: decision.reason, runs: decision.run };
  });
}

/** Whether nothing of it waits: what runs each time is no change. */
function isSettled({ state, changed }: PlannedStep): boolean {
  return changed.length === 0 && state !== 'new' && state !== 'changed';
}

function planSettings(
  machine: string,
  { kind, record, pending, live }: Extract<CurrentMachine, { readonly record: MachineRecord }>,
): PlannedSetting[] {
  const up = `vm up ${machine}`;
  const commands = {
    live: up,
    reload: kind === 'stopped' ? up : `vm reload ${machine}`,
    recreate: `vm up --recreate ${machine}`,
  } satisfies Record<SettingNeed, string>;
  const isLeft = (setting: string) => setting === 'environment' && isInstalledByHand(record);
  const applied = live.map((setting) => ({
    setting,
    needs: 'live' as const,
    command: isLeft(setting) ? `vm provision ${machine}` : up,
  }));
  return [...applied, ...pending.map(({ setting, needs }) => ({ setting, needs, command: commands[needs] }))];
}
