import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { type HostCommand, readLines, signalNumber } from './exec.ts';

export interface AttendedOptions {
  readonly cwd: string;
  /** Changes to the environment of this process; undefined removes a variable. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Stops the program and everything it has started. */
  readonly signal: AbortSignal;
  readonly onLine: (line: string, stream: 'stdout' | 'stderr') => void;
}

/**
 * Becomes the program, which leads a session of its own. File descriptor 3 is the tie to this process: its end stops the
 * whole session, also when this process was killed; a line on it means that the program has ended by itself, and that
 * what it left in the background may stay.
 */
const ATTEND = `
(
  trap '' HUP INT TERM
  PATH=/bin:/usr/bin
  read -r line && exit
  kill -TERM "-$$"
  tries=20
  while [ "$tries" -gt 0 ] && kill -0 "$$"; do
    sleep 0.1
    tries=$((tries - 1))
  done
  kill -KILL "-$$"
) <&3 3<&- >/dev/null 2>&1 &
exec "$@" 3<&-
`;

/**
 * Runs a program that must not outlive this process, and resolves with its exit code (128 + n when signal n ended it)
 * once nobody writes to its output any more. It has no terminal and an empty standard input.
 * @throws the reason of `signal`, once the program is stopped.
 */
export async function runAttended(command: HostCommand, options: AttendedOptions): Promise<number> {
  const { cwd, env, signal, onLine } = options;
  signal.throwIfAborted();
  const child = spawn('/bin/sh', ['-c', ATTEND, command.file, command.file, ...command.args], {
    cwd,
    env: { ...process.env, ...env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  });
  const [, stdout, stderr, tie] = child.stdio as unknown as [null, Readable, Readable, Writable]; // as asked for
  // Whoever listens at its other end may have been killed.
  tie.on('error', () => {});
  const stop = () => void tie.end();
  signal.addEventListener('abort', stop, { once: true });
  const exit = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, endedBy) => resolve(code ?? 128 + signalNumber(endedBy)));
  });
  try {
    const [exitCode] = await Promise.all([
      exit,
      readLines(stdout, (line) => onLine(line, 'stdout')),
      readLines(stderr, (line) => onLine(line, 'stderr')),
    ]);
    signal.throwIfAborted();
    return exitCode;
  } finally {
    signal.removeEventListener('abort', stop);
    tie.end('\n', () => tie.destroy());
  }
}
