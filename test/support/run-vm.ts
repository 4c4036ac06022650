import { type ChildProcess, spawn } from 'node:child_process';
import { vmPath } from './paths.ts';

export interface VmResult {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface VmCall {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
}

/** A `vm` that is under way. */
export interface RunningVm {
  readonly child: ChildProcess;
  readonly ended: Promise<VmResult>;
}

/** Starts the built binary as a user's shell would, with pipes instead of a terminal. */
export function startVm({ args, cwd, env, input }: VmCall): RunningVm {
  const child = spawn(process.execPath, [vmPath, ...args], { cwd, env, stdio: 'pipe' });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.end(input ?? '');
  const ended = new Promise<VmResult>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal, stdout, stderr }));
  });
  return { child, ended };
}

export function runVm(call: VmCall): Promise<VmResult> {
  return startVm(call).ended;
}
