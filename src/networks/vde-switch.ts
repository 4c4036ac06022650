import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type HostCommand, run } from '../host/exec.ts';
import { findProcessByArgument, isAlive, type ProcessIdentity } from '../host/processes.ts';
import { waitFor } from '../host/wait.ts';

export const VDE_SWITCH = 'vde_switch';

/** Frames beyond it do not fit into the switch's packets (measured with vde2 2.3.2). */
export const VDE_MAX_MTU = 1500;

/** As many machines as one network can have. */
const PORTS = 1024;
const START_TIMEOUT_MS = 10_000;
const END_TIMEOUT_MS = 5_000;

/** A switch that only its owner can reach. Configuration files are not read: they could connect it to the host. */
export function vdeSwitchCommand(switchDir: string): HostCommand {
  const access = ['--mode', '0600', '--dirmode', '0700'];
  return {
    file: VDE_SWITCH,
    args: ['--numports', String(PORTS), sockArgument(switchDir), ...access, '--rcfile', '/dev/null', '--daemon'],
  };
}

/** By which the process is found. */
function sockArgument(switchDir: string): string {
  return `--sock=${switchDir}`;
}

function findSwitch(switchDir: string): ProcessIdentity | undefined {
  return findProcessByArgument(sockArgument(switchDir), undefined);
}

export function isVdeSwitchRunning(switchDir: string): boolean {
  return findSwitch(switchDir) !== undefined;
}

/** Starts the switch, if it does not run. Returns once machines can connect to it. Call with its network's lock held. */
export async function ensureVdeSwitch(switchDir: string, signal: AbortSignal): Promise<void> {
  if (isVdeSwitchRunning(switchDir)) return;
  await rm(switchDir, { recursive: true, force: true });
  await run(vdeSwitchCommand(switchDir), { signal });
  await waitFor(() => (existsSync(join(switchDir, 'ctl')) ? true : undefined), {
    what: 'the switch of a network to start',
    timeoutMs: START_TIMEOUT_MS,
    signal,
    minPauseMs: 5,
    maxPauseMs: 40,
  });
}

/** Ends the switch and removes its sockets. Repeatable. Call with its network's lock held, when no machine is on it. */
export async function removeVdeSwitch(switchDir: string, signal: AbortSignal): Promise<void> {
  const found = findSwitch(switchDir);
  if (found !== undefined) {
    process.kill(found.pid, 'SIGTERM');
    await waitFor(() => (isAlive(found) ? undefined : true), {
      what: 'the switch of a network to end',
      timeoutMs: END_TIMEOUT_MS,
      signal,
      minPauseMs: 5,
      maxPauseMs: 40,
    });
  }
  await rm(switchDir, { recursive: true, force: true });
}
