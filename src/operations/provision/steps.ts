import { inPhase } from '../../context.ts';
import { GuestError } from '../../errors.ts';
import type { MachineRecord, StepRecord } from '../../machine/record.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import type { PreparedStep } from '../../provisioners/provisioner.ts';
import type { LazyGuest } from '../guest.ts';
import { withHooks } from '../hooks.ts';
import type { LayerWriter } from '../layers/layer-writer.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { type DecidedStep, decideSteps, type ProvisionChoice, removedSteps, type StepDecision } from './choice.ts';
import { KeptOutput } from './kept-output.ts';
import type { ReadyStep } from './ready-step.ts';

export interface ProvisionResult {
  readonly record: MachineRecord;
  readonly stepsRun: readonly string[];
  /** Every step of the Machinefile, in its order. */
  readonly steps: readonly StepOutcome[];
}

/** What became of a step: it ran, or why it did not. */
export interface StepOutcome {
  readonly step: string;
  readonly state: 'run' | 'cached' | Extract<StepDecision, { run: false }>['reason'];
}

interface Machine {
  readonly spec: MachineSpec;
  readonly record: MachineRecord;
  readonly guest: LazyGuest;
}

interface ProvisionWork {
  readonly choice: ProvisionChoice;
  /** All that the Machinefile gives the machine. */
  readonly prepared: readonly ReadyStep[];
  /** Keeps the state after each step, where the machine is new. */
  readonly layers?: LayerWriter | undefined;
  readonly services: Services;
}

/**
 * Runs the chosen steps in order, between the hooks where there is any. Each is recorded as done after it succeeded, so
 * that the next call goes on at the step that failed. Call with the machine's lock held.
 * @throws GuestError naming the step that failed.
 */
export async function provisionMachine(
  project: Project,
  machine: Machine,
  { choice, prepared, layers, services }: ProvisionWork,
): Promise<ProvisionResult> {
  const { spec, record } = machine;
  const decided = decideSteps(prepared, choice, record.steps);
  if (choice.kind === 'missing') reportDifferences({ spec, record, decided }, services);
  const chosen = decided.flatMap(({ known, decision }) => (decision.run ? [known] : []));
  const steps = outcomesOf(spec, decided);
  if (chosen.length === 0) return { record, stepsRun: [], steps };
  const ran = await withHooks(project, { machine: spec.name, operation: 'provision' }, services, () =>
    runSteps(project, { ...machine, chosen }, { layers, services }),
  );
  return { ...ran, steps };
}

function outcomesOf({ provision }: MachineSpec, decided: readonly DecidedStep<ReadyStep>[]): StepOutcome[] {
  return provision.map(({ name }, index) => {
    const decision = decided[index]?.decision ?? { run: false, reason: 'not_asked' };
    return { step: name, state: decision.run ? 'run' : decision.reason };
  });
}

interface Differences extends Pick<Machine, 'spec' | 'record'> {
  readonly decided: readonly DecidedStep<ReadyStep>[];
}

/** Says what was edited of steps that are done: `up` leaves what they did as it is. */
function reportDifferences({ spec, record, decided }: Differences, { reporter }: Services): void {
  const { name: machine } = spec;
  const warn = (text: string) => reporter.report({ type: 'message', level: 'warning', subject: machine, text });
  for (const { known, decision, changed } of decided) {
    if (decision.run || decision.reason !== 'changed') continue;
    const { name } = known.step;
    const what = changed.length === 0 ? '' : ` (${changed.join(', ')})`;
    warn(`step ${name} changed since it ran${what}; vm provision ${machine} --with ${name} runs it again`);
  }
  const moved = decided.filter(({ decision, changed }) => isDone(decision) && changed.includes('order'));
  const recreate = `vm up --recreate ${machine} runs them as they are now, and loses what is on the disk`;
  if (moved.length > 0) warn(`steps ran in another order: ${namesOf(moved)}; ${recreate}`);
  const removed = removedSteps(spec.provision, record.steps);
  if (removed.length > 0)
    warn(`steps ran that are not in the Machinefile any more: ${removed.join(', ')}; ${recreate}`);
}

function isDone(decision: StepDecision): boolean {
  return !decision.run && decision.reason === 'done';
}

function namesOf(decided: readonly DecidedStep<ReadyStep>[]): string {
  return decided.map(({ known }) => known.step.name).join(', ');
}

async function runSteps(
  project: Project,
  { chosen, ...machine }: Machine & { readonly chosen: readonly ReadyStep[] },
  { layers, services }: Pick<ProvisionWork, 'layers' | 'services'>,
): Promise<Omit<ProvisionResult, 'steps'>> {
  let { record } = machine;
  for (const { step, ready } of chosen) {
    const output = new KeptOutput(services.reporter);
    await inPhase(services, machine.spec.name, `provision ${step.name}`, () =>
      runStep({ step, ready }, { ...machine, services: { ...services, reporter: output } }),
    );
    record = withStep(record, { step, ready }, machine.spec);
    await project.states.write(record);
    if (layers) record = await layers.keepStep({ record, guest: machine.guest }, { step, ready }, output.text);
  }
  return { record, stepsRun: chosen.map(({ step }) => step.name) };
}

async function runStep(
  { step, ready }: ReadyStep,
  { spec, guest, services }: Machine & { readonly services: Services },
): Promise<void> {
  const communicator = await guest.communicator();
  const target = { machine: spec.name, step: step.name, communicator, environment: spec.environment };
  try {
    await ready.run(target, services);
  } catch (error) {
    throw withResumeHint(error, spec.name);
  }
}

function withStep(record: MachineRecord, done: ReadyStep, spec: MachineSpec): MachineRecord {
  const { name } = done.step;
  return { ...record, steps: { ...record.steps, [name]: stepRecordOf(done, spec, new Date().toISOString()) } };
}

/** What is recorded of a step that has succeeded. Pure. */
export function stepRecordOf(
  { step, ready }: Pick<ReadyStep, 'step'> & { readonly ready: Pick<PreparedStep, 'fingerprint' | 'parts'> },
  { provision }: Pick<MachineSpec, 'provision'>,
  doneAt: string,
): StepRecord {
  const { fingerprint, parts } = ready;
  const after = provision.slice(0, provision.indexOf(step)).map(({ name }) => name);
  return { fingerprint, parts, after, doneAt };
}

/** Adds to a failed step's error how to go on. */
function withResumeHint(error: unknown, machine: string): unknown {
  if (!(error instanceof GuestError) || error.hint !== undefined) return error;
  return new GuestError(error.message, {
    hint: `${machine} is left running: vm ssh ${machine} to look, vm up ${machine} to go on at this step`,
    exitCode: error.exitCode,
    cause: error,
  });
}
