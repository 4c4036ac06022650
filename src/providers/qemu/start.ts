import { mkdirSync } from 'node:fs';
import { readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { GuestError, StateError, TimeoutError } from '../../errors.ts';
import { type HostCommand, startDetached } from '../../host/exec.ts';
import { systemErrorCode } from '../../host/files.ts';
import { identifyProcess, isAlive, type ProcessIdentity } from '../../host/processes.ts';
import { waitFor } from '../../host/wait.ts';
import type { MachinePlan } from '../../machine/plan.ts';
import type { Display, MachineSpec } from '../../machinefile/spec.ts';
import { PortTakenError } from '../provider.ts';
import { qemuCommand } from './args.ts';
import { uefiOf } from './firmware.ts';
import { takenAddress } from './hostfwd.ts';
import { QmpClient } from './qmp.ts';

const START_TIMEOUT_MS = 60_000;
const GREETING_TIMEOUT_MS = 5_000;

/** Starts QEMU and returns once its main loop runs: options are accepted, disks open, ports bound. */
export async function startQemu(plan: MachinePlan, signal: AbortSignal): Promise<ProcessIdentity> {
  await writeFile(plan.layout.serialLogPath, '', { mode: 0o600 });
  return startCommand(qemuCommand(plan, uefiOf(plan.spec)), plan, signal);
}

/** What of a machine's plan is needed to start its command. */
export interface StartSubject extends Pick<MachinePlan, 'layout' | 'runtime' | 'volumes'> {
  readonly spec: Pick<MachineSpec, 'name' | 'display'>;
}

/** The same with a command that is given. */
export async function startCommand(
  command: HostCommand,
  subject: StartSubject,
  signal: AbortSignal,
): Promise<ProcessIdentity> {
  const { layout, runtime, spec } = subject;
  await prepareRuntimeDir(subject);
  await writeFile(layout.hypervisorLogPath, '', { mode: 0o600 });
  const pid = await startDetached(command, {
    outputPath: layout.hypervisorLogPath,
    env: qemuEnvironment(spec.display, process.env),
  });
  const qemu = identifyProcess(pid);
  if (qemu === undefined) throw await startFailure(subject);
  await waitFor(() => greetsOrEnds(runtime.monitorPath, qemu), {
    what: 'QEMU to start',
    timeoutMs: START_TIMEOUT_MS,
    signal,
    minPauseMs: 10,
    maxPauseMs: 50,
  });
  if (!isAlive(qemu)) throw await startFailure(subject);
  return qemu;
}

/**
 * What QEMU's environment has beside ours. The toolkits that open windows look for a session bus, and start one where
 * there is none: QEMU's sandbox kills it for that. Pure.
 */
export function qemuEnvironment(display: Display, { DBUS_SESSION_BUS_ADDRESS: bus }: NodeJS.ProcessEnv) {
  return opensWindow(display) && !bus ? { DBUS_SESSION_BUS_ADDRESS: 'disabled:' } : {};
}

function opensWindow(display: Display): boolean {
  return display === 'gtk' || display === 'sdl';
}

async function prepareRuntimeDir({ runtime, layout }: StartSubject): Promise<void> {
  await rm(runtime.runtimeDir, { recursive: true, force: true });
  mkdirSync(runtime.runtimeDir, { recursive: true, mode: 0o700 });
  await symlink(layout.machineDir, runtime.machineLinkPath);
}

/** QEMU serves its monitor from the main loop, which it enters when everything on its command line has worked. */
async function greetsOrEnds(monitorPath: string, qemu: ProcessIdentity): Promise<true | undefined> {
  if (!isAlive(qemu)) return true;
  try {
    using _monitor = await QmpClient.connect(monitorPath, GREETING_TIMEOUT_MS);
    return true;
  } catch (error) {
    if (error instanceof StateError || error instanceof TimeoutError || isNotListening(error)) return undefined;
    throw error;
  }
}

function isNotListening(error: unknown): boolean {
  return ['ENOENT', 'ECONNREFUSED', 'ECONNRESET'].includes(systemErrorCode(error) ?? '');
}

async function startFailure(subject: StartSubject): Promise<Error> {
  const output = await readFile(subject.layout.hypervisorLogPath, 'utf8');
  return explainStartFailure(output, subject);
}

/** Turns QEMU's last words into an error the user can act on. Pure. */
export function explainStartFailure(output: string, plan: Omit<StartSubject, 'runtime'>): Error {
  const taken = takenAddress(output);
  if (taken !== undefined) return new PortTakenError(taken);
  if (/Failed to get "write" lock/.test(output)) {
    const [, diskPath = plan.layout.diskPath] = output.match(/another process using the image \[(.*)\]\?/) ?? [];
    const volume = plan.volumes.find(({ path }) => path === diskPath);
    const what = volume === undefined ? 'its disk' : `its volume ${volume.name}`;
    return new StateError(`${plan.spec.name}: another process has ${what} open: ${diskPath}`, {
      hint: `\`fuser -v ${diskPath}\` shows which`,
    });
  }
  const words = output.trim() === '' ? '  (QEMU said nothing)' : output.trimEnd().replace(/^/gm, '  ');
  return new GuestError(`${plan.spec.name}: QEMU did not start:\n${words}`, {
    hint: windowHint(output, plan.spec) ?? `vm up --dry-run ${plan.spec.name} prints the command it was started with`,
  });
}

function windowHint(output: string, { display }: Pick<MachineSpec, 'display'>): string | undefined {
  if (/Display '\w+' is not available/.test(output)) return 'apt install qemu-system-gui';
  return /gtk initialization failed|Could not initialize SDL/.test(output)
    ? `display: ${display} opens a window: start it in a desktop session, or use display: vnc`
    : undefined;
}
