import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 2;

type Execute = (command: string, args?: object) => Promise<{ readonly status?: string }>;

/** Gives a QEMU that was just started commands, one after the other. */
export async function withMonitor(path: string, work: (execute: Execute) => Promise<void>): Promise<void> {
  const socket = await connectWhenThere(path);
  const answers = createInterface({ input: socket })[Symbol.asyncIterator]();
  const execute: Execute = async (command, args) => {
    socket.write(`${JSON.stringify({ execute: command, arguments: args })}\n`);
    for (;;) {
      const { value, done } = await answers.next();
      // `quit` may end it before it answers.
      if (done === true) return {};
      const answer = JSON.parse(value);
      if ('error' in answer) throw new Error(`${command}: ${answer.error.desc}`);
      if ('return' in answer) return answer.return;
    }
  };
  try {
    await execute('qmp_capabilities');
    await work(execute);
  } finally {
    socket.destroy();
  }
}

async function connectWhenThere(path: string): Promise<Socket> {
  for (;;) {
    const socket = await new Promise<Socket | undefined>((resolve) => {
      const attempt = connect(path, () => resolve(attempt)).once('error', () => resolve(undefined));
    });
    if (socket !== undefined) return socket;
    await delay(POLL_MS);
  }
}
