import { relative } from 'node:path';
import { InterruptedError, MachinefileError, type Problem, UsageError, VmError } from '../errors.ts';
import { SeveralFailedError } from '../operations/parallel.ts';

/** How an error ends the program. */
export interface Failure {
  readonly exitCode: number;
  /** For people: message, then hint. */
  readonly text: string;
  /** For `--json`. */
  readonly json: FailureDocument;
}

export interface FailureDocument {
  readonly type: 'error';
  readonly error: string;
  readonly message: string;
  readonly hint: string | null;
  readonly exit_code: number;
  readonly problems?: readonly {
    readonly file: string;
    readonly line: number;
    readonly column: number;
    readonly message: string;
  }[];
  readonly failures?: readonly { readonly machine: string; readonly message: string; readonly hint: string | null }[];
  readonly skipped?: readonly { readonly machine: string; readonly because: string }[];
}

/** Turns any thrown value into what the user is told. Pure. */
export function describeFailure(error: unknown, cwd: string): Failure {
  if (!(error instanceof VmError)) return describeBug(error);
  const exitCode = exitCodeOf(error);
  return {
    exitCode,
    text: describeText(error, cwd),
    json: {
      type: 'error',
      error: error.name,
      message: error.message,
      hint: error.hint ?? null,
      exit_code: exitCode,
      ...(error instanceof MachinefileError && { problems: error.problems }),
      ...(error instanceof SeveralFailedError && {
        failures: error.failures.map(jsonFailure),
        skipped: error.skipped.map(({ subject, because }) => ({ machine: subject, because })),
      }),
    },
  };
}

function exitCodeOf(error: VmError): number {
  if (error instanceof InterruptedError) return 130;
  return error instanceof UsageError || error instanceof MachinefileError ? 2 : 1;
}

function describeText(error: VmError, cwd: string): string {
  if (error instanceof MachinefileError) {
    return withHint(error.problems.map((problem) => formatProblem(problem, cwd)).join('\n'), error.hint);
  }
  if (error instanceof SeveralFailedError) {
    const each = error.failures.map(({ error: cause }) => describeFailure(cause, cwd).text);
    return [...each, `vm: ${error.message}`].join('\n');
  }
  return withHint(`vm: ${error.message}`, error.hint);
}

/** A mistake in a Machinefile as a line that editors and terminals make a link of. */
export function formatProblem({ file, line, column, message }: Problem, cwd: string): string {
  return `${relative(cwd, file) || file}:${line}:${column}: ${message}`;
}

function withHint(text: string, hint: string | undefined): string {
  return hint === undefined ? text : `${text}\n→ ${hint}`;
}

function jsonFailure({ subject, error }: { subject: string; error: unknown }) {
  const hint = error instanceof VmError ? (error.hint ?? null) : null;
  return { machine: subject, message: error instanceof Error ? error.message : String(error), hint };
}

function describeBug(error: unknown): Failure {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const message = error instanceof Error ? error.message : String(error);
  return {
    exitCode: 1,
    text: `${stack}\n→ this is a bug in vm: please report it with the lines above and the output of \`vm doctor\``,
    json: { type: 'error', error: 'InternalError', message, hint: null, exit_code: 1 },
  };
}
