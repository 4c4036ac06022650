import { inPhase } from '../../context.ts';
import { ensureRuntimeDir } from '../../host/dirs.ts';
import { machineRuntimeDir } from '../../machine/layout.ts';
import type { ConnectedNic } from '../../machine/nics.ts';
import type { MachineRecord } from '../../machine/record.ts';
import { startedVolumes } from '../../machine/volume.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import { writeSshConfig } from '../guest.ts';
import { holdSwitches } from '../networks/switches.ts';
import { sshPort, type WantedPort, wantedPorts } from '../ports/wanted-ports.ts';
import { withPorts } from '../ports/with-ports.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { withForwards } from '../up/create.ts';
import type { RunningMachine } from '../up/start.ts';
import { meterRun } from '../usage/metering.ts';
import { checkVolumes, lockVolumes } from '../volumes/hold.ts';
import { planVolumes } from '../volumes/planned.ts';
import { letRunOn } from './settled-state.ts';

export interface SuspendedMachine {
  readonly record: MachineRecord;
  /** What the Machinefile says of it now; it goes on with what it was started with, but for the ports. */
  readonly spec: MachineSpec | undefined;
  /** Its cards as they would be today: of these the segments are taken. */
  readonly nics: readonly ConnectedNic[];
}

/**
 * Lets a suspended machine go on from its memory. Gives nothing where that cannot be any more, which is said with the
 * reason: it can be started then, from its disk. Call with the machine's lock held.
 * @throws PortTakenError with who has a port, StateError where another machine has a volume of it: it stays suspended.
 */
export async function restoreMachine(
  project: Project,
  machine: SuspendedMachine,
  services: Services,
): Promise<RunningMachine | undefined> {
  const { spec } = machine;
  const { machine: name, id } = machine.record;
  const restored = await inPhase(services, name, 'restore', async () => {
    ensureRuntimeDir(services.dirs.runtimeDir, services.uid);
    await using _volumes = await holdOwnVolumes(project, machine.record, services);
    const record: MachineRecord = {
      ...machine.record,
      runtimeDir: machineRuntimeDir(services.dirs.runtimeDir, id),
      nics: machine.record.nics?.map((nic) => onSegmentOf(nic, machine.nics)) ?? [],
    };
    const decision = { spec: { name }, record, wanted: portsOf(record, spec), held: [] };
    return withPorts(project, decision, services, (forwards) =>
      restoreWith(project, withForwards(record, forwards), services),
    );
  });
  if (typeof restored !== 'string') return restored;
  services.reporter.report({
    type: 'message',
    level: 'warning',
    subject: name,
    text: `cannot go on where it was suspended, so what was in its memory is lost: ${restored}`,
  });
  return undefined;
}

/** Gives the reason where the provider refuses. */
async function restoreWith(
  project: Project,
  before: MachineRecord,
  services: Services,
): Promise<RunningMachine | string> {
  const record: MachineRecord = {
    ...before,
    ready: undefined,
    isClockBehind: true,
    started: before.started && { ...before.started, at: new Date().toISOString() },
  };
  const machine = { record, layout: project.states.layout(record.machine) };
  // As at a start: a killed `vm` must not leave a process that nobody knows how to reach.
  await project.states.write(record);
  await using _switches = await holdSwitches(project, record.nics ?? [], services);
  const restore = await services.providers[record.provider].restoreMemory(machine, machine.layout.memory, services);
  if (restore.kind === 'refused') return restore.reason;
  await letRunOn(machine, services);
  await writeSshConfig(machine);
  await meterRun(project, machine, { services });
  return { record, process: restore.process };
}

/** The ports of the Machinefile and those that were added, as at a start; without it those that it had. */
function portsOf({ forwards, ssh }: MachineRecord, spec: MachineSpec | undefined): WantedPort[] {
  if (spec !== undefined) return [sshPort(spec.ssh.port), ...wantedPorts(spec, forwards)];
  const [, ...others] = forwards;
  return [sshPort(ssh.port), ...others.map((forward) => ({ ...forward, autoCorrect: false }))];
}

/** Others on its network may have come up elsewhere since: on a switch that was installed, say. */
function onSegmentOf(nic: ConnectedNic, today: readonly ConnectedNic[]): ConnectedNic {
  const segment = today.find(({ networkId }) => networkId === nic.networkId)?.segment;
  return segment === undefined ? nic : { ...nic, segment };
}

async function holdOwnVolumes(project: Project, record: MachineRecord, services: Services): Promise<AsyncDisposable> {
  const volumes = planVolumes(project, startedVolumes(record));
  const names = volumes.map(({ name }) => name);
  const locks = await lockVolumes(project, names, { purpose: 'vm resume', services });
  try {
    await checkVolumes(project, { spec: { name: record.machine }, volumes }, services);
    return locks;
  } catch (error) {
    await locks[Symbol.asyncDispose]();
    throw error;
  }
}
