import { spawn } from 'node:child_process';
import { findTool } from '../../src/host/exec.ts';
import { vmPath } from './paths.ts';
import type { TestProject } from './test-project.ts';

/** Ends a terminal in which the expected does not appear; sooner than the test. */
const TIMEOUT_MS = 20_000;

/** What a user does once a text is on the screen: types, or ends `vm` from elsewhere. */
export type UserAction = { readonly after: string } & ({ readonly keys: string } | { readonly signal: NodeJS.Signals });

interface TerminalOptions {
  readonly actions?: readonly UserAction[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface TerminalSession {
  /** All that appeared, as it was sent to the screen. */
  readonly screen: string;
  readonly exitCode: number | null;
  /** Whether the terminal behaves afterwards as it did before. */
  readonly isRestored: boolean;
}

/** Runs a command on a terminal of its own, with what a user does, in order. */
export function onTerminal(
  project: TestProject,
  args: readonly string[],
  { actions = [], env = {} }: TerminalOptions = {},
): Promise<TerminalSession> {
  const child = spawn(findTool('script') ?? '', ['-qec', shellScript(args), '/dev/null'], {
    cwd: project.dir,
    env: { ...project.env, SHELL: '/bin/sh', TERM: 'xterm', ...env },
    timeout: TIMEOUT_MS,
  });
  const waiting = [...actions];
  let screen = '';
  let seen = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
    const [next] = waiting;
    const at = next === undefined ? -1 : screen.indexOf(next.after, seen);
    if (next === undefined || at < 0) return;
    waiting.shift();
    seen = at + next.after.length;
    if ('keys' in next) child.stdin.write(next.keys);
    else process.kill(Number(/^pid (\d+)/.exec(screen)?.[1]), next.signal);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ screen, exitCode, isRestored: !screen.includes(CHANGED) }));
  });
}

const CHANGED = 'the terminal was left changed';

/** Ctrl-C ends `vm` and not the shell, which looks at the terminal afterwards. */
function shellScript(args: readonly string[]): string {
  const stty = findTool('stty');
  const vm = [`'${process.execPath}'`, `'${vmPath}'`, ...args].join(' ');
  return `trap : INT; ${stty} cols 100; before=$(${stty} -g); /bin/sh -c 'echo "pid $$"; exec "$@"' sh ${vm}; code=$?
    [ "$before" = "$(${stty} -g)" ] || echo ${CHANGED}; exit $code`;
}
