/** Facts any expected failure may carry beside its message. */
export interface ErrorFacts {
  /** The next step for the user, one sentence, shown on a line of its own. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** An expected failure: shown to the user as message and hint, without a stack. Anything else is a bug. */
export class VmError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = new.target.name;
    this.hint = facts.hint;
  }
}

/** The command line itself is wrong. Exit code 2. */
export class UsageError extends VmError {}

/** One mistake in a Machinefile, at a place a text editor can jump to. */
export interface Problem {
  /** Absolute path. */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
  /** What is wrong, what is allowed, and what was probably meant. */
  readonly message: string;
}

/** Every mistake of a Machinefile at once. Exit code 2. */
export class MachinefileError extends VmError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], facts: ErrorFacts = {}) {
    super(problems.map((p) => `${p.file}:${p.line}:${p.column}: ${p.message}`).join('\n'), facts);
    this.problems = problems;
  }
}

/** A program the host needs is not installed. */
export class MissingToolError extends VmError {
  readonly tool: string;

  constructor(tool: string, facts: ErrorFacts = {}) {
    super(`${tool} is not installed`, { hint: 'vm doctor says what is missing and how to install it', ...facts });
    this.tool = tool;
  }
}

/** A program on the host failed. */
export class CommandError extends VmError {
  readonly command: readonly string[];
  readonly exitCode: number | undefined;
  readonly stderr: string;

  constructor(
    message: string,
    facts: ErrorFacts & {
      readonly command: readonly string[];
      readonly exitCode: number | undefined;
      readonly stderr: string;
    },
  ) {
    super(message, facts);
    this.command = facts.command;
    this.exitCode = facts.exitCode;
    this.stderr = facts.stderr;
  }
}

/** Something inside the guest failed: it did not boot, a provisioning step ended badly, a tool is missing there. */
export class GuestError extends VmError {
  /** The guest command's exit code, where there was one. */
  readonly exitCode: number | undefined;

  constructor(message: string, facts: ErrorFacts & { readonly exitCode?: number | undefined } = {}) {
    super(message, facts);
    this.exitCode = facts.exitCode;
  }
}

/** What is on disk, or what runs, does not allow the operation. */
export class StateError extends VmError {}

/** A condition was not met before its deadline. */
export class TimeoutError extends VmError {}

/** The user asked to stop (Ctrl-C or SIGTERM). Exit code 130. */
export class InterruptedError extends VmError {
  constructor(message = 'interrupted', facts: ErrorFacts = {}) {
    super(message, facts);
  }
}
