import { pipeline } from 'node:stream/promises';
import { InterruptedError, UsageError } from '../../errors.ts';
import { runInForeground } from '../../host/exec.ts';
import { openConsole } from '../../operations/console.ts';
import type { CommandDefinition } from '../command.ts';

/** Ctrl-]: as in telnet and virsh. */
const DETACH_BYTE = 0x1d;

export const consoleCommand: CommandDefinition = {
  name: 'console',
  args: '[machine]',
  summary: "attach to a machine's serial console; Ctrl-] leaves it",
  group: 'Inside a machine',
  example: 'vm console web',
  completes: 'machines',
  async run({ openProject, args, services, host }) {
    if (!host.isInteractive)
      throw new UsageError('vm console needs a terminal', { hint: 'vm logs prints what it showed' });
    const socket = await openConsole(await openProject(), args[0], services);
    process.stderr.write('attached; Ctrl-] leaves, Enter wakes a sleeping login\n');
    const { stdin, stdout } = process;
    stdin.setRawMode(true);
    try {
      // Node.js's raw mode still lets the terminal begin a new line at each line feed, which full-screen programs of
      // the guest do not expect. Leaving it restores this, too.
      await runInForeground({ file: 'stty', args: ['-opost'] });
      // A guest that goes away ends the session, however the connection broke.
      const fromGuest = pipeline(socket, stdout, { end: false }).catch(() => {});
      await Promise.race([copyUntilDetached(stdin, socket), fromGuest, interruption(services.signal)]);
    } finally {
      stdin.setRawMode(false);
      stdin.pause();
      socket.destroy();
    }
    return 0;
  },
};

function copyUntilDetached(stdin: NodeJS.ReadStream, socket: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve) => {
    const onData = (bytes: Buffer) => {
      const end = bytes.indexOf(DETACH_BYTE);
      socket.write(end < 0 ? bytes : bytes.subarray(0, end));
      if (end < 0) return;
      stdin.off('data', onData);
      resolve();
    };
    stdin.on('data', onData);
  });
}

/** Rejects with InterruptedError as soon as `signal` is aborted. */
function interruption(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const interrupt = () => reject(new InterruptedError());
    if (signal.aborted) interrupt();
    signal.addEventListener('abort', interrupt, { once: true });
  });
}
