import type { MachineDocument } from '../schema.ts';

export type StepDocument = NonNullable<NonNullable<MachineDocument>['provision']>[number];

/** The keys of a step that say what it does: it has one of them. */
export const STEP_TYPES = [
  'shell',
  'file',
  'ansible',
  'puppet',
  'docker',
  'compose',
] as const satisfies (keyof StepDocument)[];

export type StepType = (typeof STEP_TYPES)[number];

export function stepTypesOf(step: StepDocument): StepType[] {
  return STEP_TYPES.filter((type) => step[type] !== undefined);
}

/** The name as given, or `shell-1` for the first step. */
export function stepNameOf(step: StepDocument, index: number): string {
  return step.name ?? `${stepTypesOf(step)[0] ?? 'step'}-${index + 1}`;
}
