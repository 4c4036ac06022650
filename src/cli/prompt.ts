import { InterruptedError, UsageError } from '../errors.ts';

export interface PromptOptions {
  readonly isInteractive: boolean;
  readonly signal: AbortSignal;
}

/**
 * Asks a question that is answered by yes or no; no is the default, also for Ctrl-D.
 * @throws UsageError without a terminal to ask on; InterruptedError for Ctrl-C.
 */
export async function confirmOnTerminal(question: string, { isInteractive, signal }: PromptOptions): Promise<boolean> {
  if (!isInteractive) {
    throw new UsageError(`${question} There is no terminal to ask on`, { hint: 'give --yes to do it without asking' });
  }
  const { createInterface } = await import('node:readline');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  let settled = false;
  try {
    const answer = await new Promise<string>((resolve, reject) => {
      const interrupt = () => reject(new InterruptedError());
      // On a terminal in raw mode Ctrl-C is a key, not a signal.
      terminal.once('SIGINT', interrupt);
      signal.addEventListener('abort', interrupt, { once: true });
      terminal.once('close', () => resolve(''));
      terminal.question(`${question} [y/N] `, (text) => {
        settled = true;
        resolve(text);
      });
    });
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
    // Without Enter the cursor still stands behind the question.
    if (!settled) process.stderr.write('\n');
  }
}
