import type { Box } from '../../boxes/box.ts';
import { GuestError } from '../../errors.ts';
import { isSameProcess } from '../../host/processes.ts';
import type { MachineRecord } from '../../machine/record.ts';
import type { PendingSetting } from '../../machine/settings.ts';
import { LazyGuest, writeSshConfig } from '../guest.ts';
import { refreshPorts } from '../ports/refresh-ports.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { restoreMachine } from '../suspend/restore.ts';
import { letRunOn, settledState } from '../suspend/settled-state.ts';
import { awaitReady } from './await-ready.ts';
import type { UpTarget } from './machine.ts';
import { findPending, leftByUp, reportPending } from './pending.ts';
import { type RunningMachine, type StartableMachine, startMachine } from './start.ts';

interface Running {
  readonly record: MachineRecord;
  readonly guest: LazyGuest;
  readonly started: boolean;
  readonly resumed: boolean;
  readonly pending: readonly PendingSetting[];
}

/** Starts the machine if it is stopped, or lets it go on, and waits until it is ready if it was not yet seen to be. */
export async function ensureRunning(
  project: Project,
  { target, record }: { target: UpTarget; record: MachineRecord },
  services: Services,
): Promise<Running> {
  const { spec, network } = target;
  const layout = project.states.layout(spec.name);
  const box = await boxOf(record, target, services);
  const found = await findRunning(project, { spec, box, network, record }, services);
  const edited = { spec, box, nics: network.nics, record: found?.record ?? record, wantedBoxKey: target.box?.key };
  const pending = leftByUp(await findPending(project, edited, services), found === undefined);
  reportPending(record, pending, services);
  if (found === undefined) {
    const started = await startMachine(project, { spec, box, network, record }, services);
    const ready = await awaitReady(project, { spec, box, ...started }, services);
    return { ...ready, started: true, resumed: false, pending };
  }
  const { process, resumed } = found;
  const done = { started: false, resumed, pending };
  const current = await refreshRunning(project, { spec, box, network, record: found.record }, services);
  if (isSameProcess(current.ready, process)) {
    return { record: current, guest: new LazyGuest({ record: current, layout }, services), ...done };
  }
  return {
    ...(await awaitReady(project, { spec, box, record: current, process, guestState: 'running' }, services)),
    ...done,
  };
}

/** The machine as it runs, paused or suspended ones once they run on; undefined where it has to be started. */
async function findRunning(
  project: Project,
  { spec, network, record }: StartableMachine,
  services: Services,
): Promise<(RunningMachine & { readonly resumed: boolean }) | undefined> {
  const machine = { record, layout: project.states.layout(spec.name) };
  const observed = await settledState(machine, services);
  switch (observed.kind) {
    case 'broken':
      throw new GuestError(`${spec.name} cannot be started: ${observed.reason}`, {
        hint: `vm up --recreate ${spec.name} makes it anew; what was on its disk is lost`,
      });
    case 'stopped':
      return undefined;
    case 'suspended': {
      const restored = await restoreMachine(project, { record, spec, nics: network.nics }, services);
      return restored && { ...restored, resumed: true };
    }
    case 'paused':
      await letRunOn(machine, services);
  }
  return { record, process: observed.process, resumed: observed.kind === 'paused' };
}

/** The disk stands on the box it was made of, whatever the Machinefile names now. */
async function boxOf(record: MachineRecord, target: UpTarget, services: Services): Promise<Box | undefined> {
  if (record.box === undefined) return undefined;
  return record.box.key === target.box?.key ? target.box : services.boxes.get(record.box.key);
}

/** Takes over what can change while the machine runs. */
async function refreshRunning(project: Project, machine: StartableMachine, services: Services): Promise<MachineRecord> {
  const { spec, record } = machine;
  // User and key stay: the guest was seeded with them.
  const { forwardAgent, forwardX11, extraArgs } = spec.ssh;
  const current = {
    ...record,
    ssh: { ...record.ssh, forwardAgent, forwardX11, extraArgs },
    started: record.started && { ...record.started, haltTimeoutMs: spec.haltTimeoutMs },
  };
  if (JSON.stringify(current) !== JSON.stringify(record)) await project.states.write(current);
  await writeSshConfig({ record: current, layout: project.states.layout(spec.name) });
  return refreshPorts(project, { spec, record: current }, services);
}
