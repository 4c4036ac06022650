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
  /** Report the output line by line also where it is a single machine. */
  readonly asEvents: boolean;
}

export interface ExecOutcome {
  readonly machine: string;
  readonly exitCode: number;
}

/**
 * Runs a command in running machines. One machine: on this process's own input and output, unless events are asked for.
 * Several: side by side, each line reported with its machine.
 */
export async function exec(project: Project, request: ExecRequest, services: Services): Promise<ExecOutcome[]> {
  const { patterns } = request;
  const selected =
    patterns.length === 0 ? [await findTarget(project, undefined)] : await findTargets(project, patterns);
  const [only] = selected;
  if (only !== undefined && selected.length === 1 && !request.asEvents) {
    const target = await opensshTarget(await requireRunning(project, only.name, services));
    const exitCode = await runInForeground(execCommand(target, request.words, request.wantsTerminal));
    return [{ machine: only.name, exitCode }];
  }
  return forEachParallel(selected, selected.length, async ({ name }) => {
    const target = await opensshTarget(await requireRunning(project, name, services));
    return { machine: name, exitCode: await execReporting(target, request.words, services) };
  });
}

async function execReporting(target: OpensshTarget, words: readonly string[], services: Services): Promise<number> {
  try {
    await run(execCommand(target, words, false), {
      signal: services.signal,
      onLine: (line, stream) => services.reporter.report({ type: 'output', subject: target.alias, stream, line }),
    });
    return 0;
  } catch (error) {
    if (error instanceof CommandError && error.exitCode !== undefined) return error.exitCode;
    throw error;
  }
}
