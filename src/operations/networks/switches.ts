import type { HostCommand } from '../../host/exec.ts';
import type { ConnectedNic } from '../../machine/nics.ts';
import type { MachineRecord } from '../../machine/record.ts';
import { isInUse } from '../../networks/segment.ts';
import { ensureVdeSwitch, isVdeSwitchRunning, removeVdeSwitch, vdeSwitchCommand } from '../../networks/vde-switch.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';

/** A name that no machine can have. */
const LOCK_NAME = '_networks';

function switchDirsOf(nics: readonly ConnectedNic[]): { readonly networkId: string; readonly switchDir: string }[] {
  return nics.flatMap(({ networkId, segment }) =>
    segment.kind === 'vde' ? [{ networkId, switchDir: segment.switchDir }] : [],
  );
}

/**
 * Starts the switches of these networks that do not run. Until the result is disposed, which is to be done once the
 * machine's hypervisor runs, nobody takes one for unused.
 */
export async function holdSwitches(
  project: Project,
  nics: readonly ConnectedNic[],
  services: Services,
): Promise<AsyncDisposable | undefined> {
  const switches = switchDirsOf(nics);
  if (switches.length === 0) return undefined;
  const lock = await lockSwitches(project, services);
  try {
    for (const { switchDir } of switches) await ensureVdeSwitch(switchDir, services.signal);
    return lock;
  } catch (error) {
    await lock[Symbol.asyncDispose]();
    throw error;
  }
}

/** The commands that start those of them that do not run, for `up --dry-run`. */
export function switchCommands(nics: readonly ConnectedNic[]): HostCommand[] {
  const missing = switchDirsOf(nics).filter(({ switchDir }) => !isVdeSwitchRunning(switchDir));
  return missing.map(({ switchDir }) => vdeSwitchCommand(switchDir));
}

/** Ends the switches that a machine was on, once no other is. Call when it does not run. Repeatable. */
export async function releaseSwitches(
  project: Project,
  { nics = [] }: Pick<MachineRecord, 'nics'>,
  services: Services,
): Promise<void> {
  const switches = switchDirsOf(nics);
  if (switches.length === 0) return;
  await using _lock = await lockSwitches(project, services);
  for (const { networkId, switchDir } of switches) {
    if (!isInUse(networkId, { kind: 'vde', switchDir })) await removeVdeSwitch(switchDir, services.signal);
  }
}

function lockSwitches({ states }: Project, { signal }: Services): Promise<AsyncDisposable> {
  return states.lock(LOCK_NAME, { purpose: 'the networks', signal });
}
