import { spawn } from 'node:child_process';
import { accessSync, closeSync, constants, openSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { finished, type Readable } from 'node:stream';
import { CommandError, InterruptedError, MissingToolError, TimeoutError } from '../errors.ts';

/** Exactly what will run: no shell, no quoting. */
export interface HostCommand {
  readonly file: string;
  readonly args: readonly string[];
}

export interface RunOptions {
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Written to standard input, which is closed after it; without it standard input is empty. */
  readonly input?: string | Uint8Array;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  /** Called for every complete line as it arrives; a carriage return ends one, too. */
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
}

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
}

const STDERR_LINES_IN_MESSAGE = 5;

/**
 * Runs a program to its end.
 * @throws MissingToolError if it is not installed, CommandError if it exits non-zero, TimeoutError, InterruptedError.
 */
export async function run(command: HostCommand, options: RunOptions = {}): Promise<CommandResult> {
  const { execa } = await import('execa');
  const child = execa(command.file, command.args, {
    reject: false,
    stripFinalNewline: false,
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...(options.env !== undefined && { env: options.env }),
    ...(options.signal !== undefined && { cancelSignal: options.signal }),
    ...(options.timeoutMs !== undefined && { timeout: options.timeoutMs }),
  });
  const { onLine } = options;
  const reading = onLine
    ? [
        readLines(child.iterable({ from: 'stdout', binary: true }), (line) => onLine(line, 'stdout')),
        readLines(child.iterable({ from: 'stderr', binary: true }), (line) => onLine(line, 'stderr')),
      ]
    : [];
  const [result] = await Promise.all([child, ...reading]);
  if (!result.failed) return { stdout: result.stdout, stderr: result.stderr };
  if (result.isCanceled) throw new InterruptedError();
  if (result.code === 'ENOENT' && findTool(command.file) === undefined) throw new MissingToolError(command.file);
  if (result.timedOut) throw new TimeoutError(`${command.file} did not end within ${options.timeoutMs} ms`);
  throw new CommandError(failureText(command, result.exitCode, result.stderr || result.originalMessage || ''), {
    command: [command.file, ...command.args],
    exitCode: result.exitCode,
    stderr: result.stderr,
    cause: result.cause,
  });
}

/**
 * Calls back for each line. A carriage return ends one, too, as soon as something follows it: programs that count
 * upwards end each count so.
 */
export async function readLines(chunks: AsyncIterable<unknown>, onLine: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split(/\r?\n|\r(?=[^\n])/);
    rest = lines.pop() ?? '';
    lines.forEach(onLine);
  }
  if (rest !== '') onLine(rest);
}

function failureText(command: HostCommand, exitCode: number | undefined, stderr: string): string {
  const lastLines = stderr.trimEnd().split('\n').slice(-STDERR_LINES_IN_MESSAGE).join('\n  ');
  const outcome = exitCode === undefined ? 'was ended' : `failed with exit code ${exitCode}`;
  return lastLines === '' ? `${command.file} ${outcome}` : `${command.file} ${outcome}:\n  ${lastLines}`;
}

export interface ForegroundOptions {
  /** Whether it reads this process's standard input; otherwise its own is empty. Default: true. */
  readonly hasInput?: boolean;
  /** Ends the program. Default: nothing does. */
  readonly signal?: AbortSignal;
}

/**
 * Runs a program on this process's own terminal and resolves with its exit code (128 + n when signal n ended it).
 * Uses node:child_process, not execa: this is `vm ssh` and `vm exec`, where 15 ms of loading would show.
 */
export function runInForeground(
  command: HostCommand,
  { hasInput = true, signal }: ForegroundOptions = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command.file, command.args, { stdio: [hasInput ? 'inherit' : 'ignore', 'inherit', 'inherit'] });
    // The terminal sends Ctrl-C to the whole process group: the child decides what it means.
    const ignore = () => {};
    const stop = () => void child.kill();
    process.on('SIGINT', ignore);
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    const settle = () => {
      process.off('SIGINT', ignore);
      signal?.removeEventListener('abort', stop);
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      settle();
      reject(error.code === 'ENOENT' ? new MissingToolError(command.file) : error);
    });
    child.once('close', (code, signal) => {
      settle();
      resolve(code ?? 128 + signalNumber(signal));
    });
  });
}

export function signalNumber(signal: NodeJS.Signals | null): number {
  const known: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGKILL: 9, SIGTERM: 15 };
  return (signal && known[signal]) ?? 0;
}

export interface DetachedOptions {
  readonly outputPath: string;
  /** Added to the environment of this process. */
  readonly env: Readonly<Record<string, string>>;
  /** Absent: that of this process. */
  readonly cwd?: string;
}

/**
 * Starts a program in a session of its own, its output in a file; it outlives this process.
 * Resolves with its pid once it runs.
 * @throws MissingToolError if it is not installed.
 */
export function startDetached(command: HostCommand, { outputPath, env, cwd }: DetachedOptions): Promise<number> {
  const output = openSync(outputPath, 'a', 0o600);
  return new Promise<number>((resolve, reject) => {
    const child = spawn(command.file, command.args, {
      detached: true,
      stdio: ['ignore', output, output],
      env: { ...process.env, ...env },
      cwd,
    });
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' ? new MissingToolError(command.file) : error),
    );
    child.once('spawn', () => {
      child.unref();
      resolve(child.pid as number); // present once 'spawn' was emitted
    });
  }).finally(() => closeSync(output));
}

const STDERR_KEPT_CHARACTERS = 16 * 1024;

/**
 * Pipes a stream through a program and gives what that prints. The program is started by the first read; once the reader
 * stops, or anything fails, it has ended and `input` is destroyed.
 * @throws MissingToolError if it is not installed, CommandError if it fails, InterruptedError, and what `input` throws.
 */
export async function* runAsFilter(
  command: HostCommand,
  input: Readable,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const child = spawn(command.file, command.args, { signal, killSignal: 'SIGKILL' });
  let spawnError: NodeJS.ErrnoException | undefined;
  child.on('error', (error) => {
    spawnError = error;
  });
  const ending = new Promise<number | undefined>((resolve) => {
    child.once('close', (code) => resolve(code ?? undefined));
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_KEPT_CHARACTERS);
  });
  let inputError: unknown;
  finished(input, { writable: false }, (error) => {
    inputError = error;
    if (error) child.kill('SIGKILL');
  });
  // A program that ends before it has read everything says why by its exit code.
  child.stdin.on('error', () => {});
  input.pipe(child.stdin);
  try {
    for await (const chunk of child.stdout) yield chunk;
    const exitCode = await ending;
    if (signal.aborted) throw new InterruptedError();
    if (inputError) throw inputError;
    if (spawnError) throw spawnError.code === 'ENOENT' ? new MissingToolError(command.file) : spawnError;
    if (exitCode !== 0) {
      throw new CommandError(failureText(command, exitCode, stderr), {
        command: [command.file, ...command.args],
        exitCode,
        stderr,
      });
    }
  } finally {
    child.kill('SIGKILL');
    input.destroy();
    await ending;
  }
}

/** The absolute path of a program on PATH, or undefined. Relative folders on PATH are passed over. */
export function findTool(name: string, path = process.env.PATH ?? ''): string | undefined {
  const candidates = isAbsolute(name)
    ? [name]
    : path
        .split(delimiter)
        .filter(isAbsolute)
        .map((folder) => join(folder, name));
  return candidates.find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
