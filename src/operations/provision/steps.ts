import { inPhase } from '../../context.ts';
import { GuestError } from '../../errors.ts';
import type { MachineRecord } from '../../machine/record.ts';
import type { MachineSpec, StepSpec } from '../../machinefile/spec.ts';
import { prepareStep } from '../../provisioners/index.ts';
import type { PreparedStep } from '../../provisioners/provisioner.ts';
import type { LazyGuest } from '../guest.ts';
import { withHooks } from '../hooks.ts';
import type { LayerWriter } from '../layers/layer-writer.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { decideStep, type ProvisionChoice } from './choice.ts';
import { KeptOutput } from './kept-output.ts';

export interface ProvisionResult {
  readonly record: MachineRecord;
  readonly stepsRun: readonly string[];
}

interface Machine {
  readonly spec: MachineSpec;
  readonly record: MachineRecord;
  readonly guest: LazyGuest;
}

interface ProvisionWork {
  readonly choice: ProvisionChoice;
  /** Keeps the state after each step, where the machine is new. */
  readonly layers?: LayerWriter | undefined;
  readonly services: Services;
}

/** A step, read and made ready to run. */
interface ReadyStep {
  readonly step: StepSpec;
  readonly ready: PreparedStep;
}

/**
 * Runs the chosen steps in order, between the hooks where there is any. Each is recorded as done after it succeeded, so
 * that the next call goes on at the step that failed. Call with the machine's lock held.
 * @throws GuestError naming the step that failed.
 */
export async function provisionMachine(
  project: Project,
  machine: Machine,
  { choice, layers, services }: ProvisionWork,
): Promise<ProvisionResult> {
  const { spec, record } = machine;
  const nothing = { record, stepsRun: [] };
  if (choice.kind === 'none') return nothing;
  // All are read before the first runs: a missing script stops here, not half-way.
  const prepared = await Promise.all(
    spec.provision.map(async (step) => ({ step, ready: await prepareStep(step.action) })),
  );
  const chosen = prepared.filter(({ step, ready }) => {
    const decision = decideStep(step, choice, { record: record.steps[step.name], fingerprint: ready.fingerprint });
    if (!decision.run && decision.reason === 'changed') reportChanged(spec, step, services);
    return decision.run;
  });
  if (chosen.length === 0) return nothing;
  return withHooks(project, { machine: spec.name, operation: 'provision' }, services, () =>
    runSteps(project, { ...machine, chosen }, { layers, services }),
  );
}

function reportChanged({ name: machine }: MachineSpec, { name: step }: StepSpec, { reporter }: Services): void {
  reporter.report({
    type: 'message',
    level: 'warning',
    subject: machine,
    text: `step ${step} changed since it ran; vm provision ${machine} --with ${step} runs it again`,
  });
}

async function runSteps(
  project: Project,
  { chosen, ...machine }: Machine & { readonly chosen: readonly ReadyStep[] },
  { layers, services }: Omit<ProvisionWork, 'choice'>,
): Promise<ProvisionResult> {
  let { record } = machine;
  for (const { step, ready } of chosen) {
    const output = new KeptOutput(services.reporter);
    await inPhase(services, machine.spec.name, `provision ${step.name}`, () =>
      runStep({ step, ready }, { ...machine, services: { ...services, reporter: output } }),
    );
    record = withStep(record, step.name, ready.fingerprint);
    await project.states.write(record);
    if (layers) record = await layers.keepStep({ record, guest: machine.guest }, step.name, output.text);
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

function withStep(record: MachineRecord, name: string, fingerprint: string): MachineRecord {
  return { ...record, steps: { ...record.steps, [name]: { fingerprint, doneAt: new Date().toISOString() } } };
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
