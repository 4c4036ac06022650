import { setImmediate } from 'node:timers/promises';
import { expect } from 'vitest';
import type { RunningVm, VmResult } from './run-vm.ts';

/** Kills a command as soon as this can be seen: no pause in between, or the instant would be over. */
export async function killWhen({ child, ended }: RunningVm, isReached: () => boolean): Promise<void> {
  let result: VmResult | undefined;
  const whole = ended.then((ending) => {
    result = ending;
  });
  try {
    while (result === undefined && !isReached()) await setImmediate();
    expect(result, 'it ended before the instant was seen').toBeUndefined();
  } finally {
    child.kill('SIGKILL');
    await whole;
  }
}
