import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { runQuietly } from './measure.ts';

/** What somebody would do without vm: start QEMU, poll with ssh every 50 ms, press the power button by QMP. */

const POLL_MS = 50;
const EXIT_POLL_MS = 2;

export function startQemu(argv: readonly string[]): ChildProcess {
  const [file = '', ...args] = argv;
  return spawn(file, args, { stdio: 'ignore' });
}

/** Polls with the system's ssh until a command has run. */
export async function pollSsh(sshArgs: readonly string[]): Promise<void> {
  while ((await runQuietly('ssh', [...sshArgs, 'true'])) !== 0) await delay(POLL_MS);
}

export function exited(qemu: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (qemu.exitCode !== null || qemu.signalCode !== null) resolve();
    else qemu.once('exit', () => resolve());
  });
}

/** Presses the power button and resolves when QEMU has ended. */
export async function powerDown(monitorPath: string, pid: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = connect(monitorPath);
    socket.once('error', reject);
    socket.once('close', () => resolve());
    socket.once('data', () => {
      socket.write('{"execute":"qmp_capabilities"}\n{"execute":"system_powerdown"}\n');
      socket.resume();
    });
  });
  while (existsSync(`/proc/${pid}`)) await delay(EXIT_POLL_MS);
}
