import { connect, type Socket } from 'node:net';
import { StateError } from '../errors.ts';
import { runtimeLayout } from '../machine/layout.ts';
import { requireRunning } from './guest.ts';
import { findTarget, type Project } from './project.ts';
import type { Services } from './services.ts';

/**
 * A connection to the serial console of a running machine. It serves one user at a time, and would let a second one wait.
 * @throws StateError when the machine is not running, or somebody else is there.
 */
export async function openConsole(project: Project, name: string | undefined, services: Services): Promise<Socket> {
  const target = await findTarget(project, name);
  const machine = await requireRunning(project, target.name, services);
  const { record } = machine;
  if (await services.providers[record.provider].isConsoleTaken(machine)) {
    throw new StateError(`the console of ${target.name} is in use, and serves one user at a time`, {
      hint: `vm logs -f ${target.name} shows what it prints`,
    });
  }
  const { consolePath } = runtimeLayout(record.runtimeDir);
  return new Promise((resolve, reject) => {
    const socket = connect(consolePath);
    socket.once('connect', () => resolve(socket));
    socket.once('error', (cause) =>
      reject(new StateError(`cannot open the console of ${target.name}: ${cause.message}`, { cause })),
    );
  });
}
