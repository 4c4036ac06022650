import type { Box } from '../../boxes/box.ts';
import type { Invocation } from '../command.ts';

/** Tells the result of a command that brings a box into the store. Gives the exit code. */
export function printReady(box: Box, { globals, output }: Pick<Invocation, 'globals' | 'output'>): number {
  if (globals.json) output.json({ type: 'result', ...boxResult(box) });
  else if (!globals.quiet) output.text(describeReady(box));
  return 0;
}

export function boxResult({ name, version, key }: Box) {
  return { name, version, key };
}

export function describeReady({ name, version, key }: Box): string {
  return `${name} ${version} is ready (${key.slice(0, 12)})`;
}
