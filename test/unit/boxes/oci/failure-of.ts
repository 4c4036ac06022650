import { VmError } from '../../../../src/errors.ts';

/** What is told of a failure. Every such error says what to do next. */
export function failureOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof VmError && error.hint !== undefined) return error.message;
    throw error;
  }
  return 'none';
}
