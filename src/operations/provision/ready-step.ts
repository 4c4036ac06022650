import type { MachineSpec } from '../../machinefile/spec.ts';
import type { StepSpec } from '../../machinefile/step-spec.ts';
import { prepareStep } from '../../provisioners/index.ts';
import type { PreparedStep } from '../../provisioners/provisioner.ts';

/** A step, read and made ready to run. */
export interface ReadyStep {
  readonly step: StepSpec;
  readonly ready: PreparedStep;
}

/** Reads the steps of a machine. @throws VmError naming a file that cannot be read. */
export function prepareSteps({ provision }: Pick<MachineSpec, 'provision'>): Promise<ReadyStep[]> {
  return Promise.all(provision.map(async (step) => ({ step, ready: await prepareStep(step.action) })));
}
