import { UsageError } from '../errors.ts';

/**
 * Asks a question that is answered by yes or no; no is the default.
 * @throws UsageError without a terminal to ask on.
 */
export async function confirmOnTerminal(question: string, isInteractive: boolean): Promise<boolean> {
  if (!isInteractive) {
    throw new UsageError(`${question} There is no terminal to ask on`, { hint: 'give --yes to do it without asking' });
  }
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
