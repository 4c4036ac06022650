import { setImmediate } from 'node:timers/promises';
import { expect } from 'vitest';
import type { RunningVm } from './run-vm.ts';

/** Kills a command as soon as this can be seen: no pause in between, or the instant would be over. */
export async function killWhen({ child, ended }: RunningVm, isReached: () => boolean): Promise<void> {
  let hasEnded = false;
  const whole = ended.then(() => {
    hasEnded = true;
  });
  try {
    while (!hasEnded && !isReached()) await setImmediate();
    expect(hasEnded, 'the instant was seen').toBe(false);
  } finally {
    child.kill('SIGKILL');
    await whole;
  }
}
