import { existsSync } from 'node:fs';
import { execCommand } from '../../communicators/openssh.ts';
import { run } from '../../host/exec.ts';
import { runtimeLayout } from '../../machine/layout.ts';
import type { RecordedMachine } from '../../providers/provider.ts';
import { opensshTarget } from '../guest.ts';
import type { Services } from '../services.ts';
import { logIn, unlessSilent } from '../usage/network-reading.ts';

/** What the guest gets to write what it has not written yet. */
const FLUSH_TIMEOUT_MS = 10_000;

/** Should its memory be lost later, little is lost with it: the guest writes what it holds back. Not waited for long. */
export async function flush(machine: RecordedMachine, services: Services): Promise<void> {
  await unlessSilent(async () => {
    if (existsSync(runtimeLayout(machine.record.runtimeDir).sshControlPath)) {
      await run(execCommand(await opensshTarget(machine), ['sync'], false), { timeoutMs: FLUSH_TIMEOUT_MS });
      return;
    }
    await using guest = await logIn(machine, services);
    const signal = AbortSignal.any([services.signal, AbortSignal.timeout(FLUSH_TIMEOUT_MS)]);
    await guest.exec({ script: 'sync', signal });
  });
}
