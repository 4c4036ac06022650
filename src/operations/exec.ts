import type { OpensshTarget } from '../communicators/openssh.ts';
import { execCommand } from '../communicators/openssh.ts';
import { CommandError } from '../errors.ts';
import { run, runInForeground } from '../host/exec.ts';
import { opensshTarget, requireRunning } from './guest.ts';
import { forEachParallel } from './parallel.ts';
import { findTarget, findTargets, type Project } from './project.ts';
import type { Services } from './services.ts';

export interface ExecRequest {
  readonly patterns: readonly string[];
  readonly words: readonly string[];
  /** Run the command on a terminal of its own, where it is a single machine. */
  readonly wantsTerminal: boolean;
  /** Pass the output on line by line also where it is a single machine. */
  readonly isByLine: boolean;
  /** What the command prints, where it is passed on. */
  onLine(machine: string, line: string, stream: 'stdout' | 'stderr'): void;
}

export interface ExecOutcome {
  readonly machine: string;
  readonly exitCode: number;
}

/**
 * Runs a command in running machines. One machine: on this process's own input and output, unless lines are asked for.
 * Several: side by side, with empty input. A command that fails is no error, but is told of as soon as it has ended.
 */
export async function exec(project: Project, request: ExecRequest, services: Services): Promise<ExecOutcome[]> {
  const { patterns } = request;
  const selected =
    patterns.length === 0 ? [await findTarget(project, undefined)] : await findTargets(project, patterns);
  const [only] = selected;
  if (only !== undefined && selected.length === 1 && !request.isByLine) {
    const target = await opensshTarget(await requireRunning(project, only.name, services));
    const exitCode = await runInForeground(execCommand(target, request.words, request.wantsTerminal));
    return [{ machine: only.name, exitCode }];
  }
  return forEachParallel(selected, selected.length, async ({ name }) => {
    const target = await opensshTarget(await requireRunning(project, name, services));
    const exitCode = await execByLine(target, request, services);
    if (exitCode !== 0 && selected.length > 1) reportFailed(name, exitCode, services);
    return { machine: name, exitCode };
  });
}

function reportFailed(machine: string, exitCode: number, { reporter }: Services): void {
  const text = `the command ended with exit code ${exitCode}`;
  reporter.report({ type: 'message', level: 'warning', subject: machine, text });
}

async function execByLine(target: OpensshTarget, request: ExecRequest, { signal }: Services): Promise<number> {
  try {
    await run(execCommand(target, request.words, false), {
      signal,
      onLine: (line, stream) => request.onLine(target.alias, line, stream),
    });
    return 0;
  } catch (error) {
    if (error instanceof CommandError && error.exitCode !== undefined) return error.exitCode;
    throw error;
  }
}
