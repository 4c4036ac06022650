import type { Box } from '../../boxes/box.ts';
import type { Invocation } from '../command.ts';

/** Tells the result of a command that brings a box into the store. Gives the exit code. */
export function printReady(
  { name, version, key }: Box,
  { globals, output }: Pick<Invocation, 'globals' | 'output'>,
): number {
  if (globals.json) output.json({ type: 'result', name, version, key });
  else if (!globals.quiet) output.text(`${name} ${version} is ready (${key.slice(0, 12)})`);
  return 0;
}
