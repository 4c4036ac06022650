import { diffForwards, isUnchanged, type OpenPort } from '../../machine/forwards.ts';
import type { MachineRecord, PortForward } from '../../machine/record.ts';
import { lockMachine } from '../machine-lock.ts';
import { findTarget, type Project, requireMachine } from '../project.ts';
import type { Services } from '../services.ts';
import { changeForwards } from './change-forwards.ts';

/** A machine whose ports nobody else changes meanwhile. */
export interface LockedMachine {
  readonly record: MachineRecord;
  readonly isRunning: boolean;
  /** What it has open now, as far as that can be seen: nothing while it is stopped. */
  readonly held: readonly OpenPort[];
}

/** What `vm port add` and `vm port remove` did. */
export interface PortChange {
  readonly machine: string;
  readonly isRunning: boolean;
  /** Those that were asked for: they are there now, or gone. */
  readonly ports: readonly PortForward[];
  /** All that the machine has now, SSH's first. */
  readonly forwards: readonly PortForward[];
}

/** Runs `work` with the lock of a machine that exists. */
export async function withLockedMachine(
  project: Project,
  { machine, purpose }: { readonly machine: string; readonly purpose: string },
  services: Services,
  work: (machine: LockedMachine) => Promise<Pick<PortChange, 'ports' | 'forwards'>>,
): Promise<PortChange> {
  const { name } = await findTarget(project, machine);
  // Before the lock, which would make the project's state folder.
  await requireMachine(project, name);
  await using _lock = await lockMachine(project, { name, purpose }, services);
  const existing = await requireMachine(project, name);
  const { record } = existing;
  const provider = services.providers[record.provider];
  const { kind } = await provider.state(existing);
  const isRunning = kind === 'running' || kind === 'paused';
  const held = isRunning ? ((await provider.forwards(existing)) ?? record.forwards) : [];
  return { machine: name, isRunning, ...(await work({ record, isRunning, held })) };
}

/** Gives the machine these forwards: at once if it runs, else when it is started. */
export async function saveForwards(
  project: Project,
  { record, isRunning, held }: LockedMachine,
  forwards: readonly PortForward[],
  services: Services,
): Promise<void> {
  const isRecorded = JSON.stringify(forwards) === JSON.stringify(record.forwards);
  if (!isRunning) {
    if (!isRecorded) await project.states.write({ ...record, forwards });
  } else if (!isRecorded || !isUnchanged(diffForwards(held, forwards))) {
    await changeForwards(project, { record, forwards }, services);
  }
}
