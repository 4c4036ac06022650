import type { StepAction } from '../machinefile/step-spec.ts';
import type { PreparedStep, Provisioner } from './provisioner.ts';
import { shellProvisioner } from './shell.ts';

const PROVISIONERS = {
  shell: shellProvisioner,
} satisfies { readonly [Type in StepAction['type']]: Provisioner<Extract<StepAction, { type: Type }>> };

/** See `Provisioner.prepare`. */
export function prepareStep(action: StepAction): Promise<PreparedStep> {
  return PROVISIONERS[action.type].prepare(action);
}
