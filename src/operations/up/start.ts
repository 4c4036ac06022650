import type { Box } from '../../boxes/box.ts';
import { inPhase } from '../../context.ts';
import { ensureRuntimeDir } from '../../host/dirs.ts';
import type { ProcessIdentity } from '../../host/processes.ts';
import { machineRuntimeDir } from '../../machine/layout.ts';
import { removeMemory } from '../../machine/memory-files.ts';
import { type MachinePlan, type PlannedRam, planMachine } from '../../machine/plan.ts';
import type { MachineRecord } from '../../machine/record.ts';
import { asMade, fixedSettings, hasBooted, isLoginFixed, restartSettings } from '../../machine/settings.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import type { HostEntry } from '../../networks/names.ts';
import { environmentFingerprint } from '../../provisioners/environment.ts';
import { writeSshConfig } from '../guest.ts';
import { hostsFingerprint } from '../networks/guest-network.ts';
import type { MachineNetwork } from '../networks/project-networks.ts';
import { sshPort, wantedPorts } from '../ports/wanted-ports.ts';
import { withPorts } from '../ports/with-ports.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { meterRun } from '../usage/metering.ts';
import { holdVolumes } from '../volumes/hold.ts';
import { plannedVolumes } from '../volumes/planned.ts';
import { type StartedProcess, startOrWake } from '../warm/start-or-wake.ts';
import { sshSettings, withForwards } from './create.ts';
import { ownDiskRecords, reportDetached } from './own-disks.ts';
import { writeSeed } from './seed.ts';

/** A machine that runs. */
export interface RunningMachine {
  readonly record: MachineRecord;
  readonly process: ProcessIdentity;
}

export type Started = RunningMachine & StartedProcess;

/** A machine, and what the Machinefile says of it now. */
export interface StartableMachine {
  readonly spec: MachineSpec;
  readonly box: Box | undefined;
  readonly network: MachineNetwork;
  readonly record: MachineRecord;
  /** Absent: its memory is in no file. */
  readonly ram?: PlannedRam;
}

/** Starts a stopped machine with what the Machinefile says now. Call with the machine's lock held. */
export async function startMachine(project: Project, machine: StartableMachine, services: Services): Promise<Started> {
  const { spec, network } = machine;
  return inPhase(services, spec.name, 'start', async () => {
    ensureRuntimeDir(services.dirs.runtimeDir, services.uid);
    await using _volumes = await holdVolumes(project, spec, services);
    const record: MachineRecord = {
      ...machine.record,
      replica: spec.replica,
      runtimeDir: machineRuntimeDir(services.dirs.runtimeDir, machine.record.id),
      ssh: sshOf(machine),
    };
    const wanted = [sshPort(spec.ssh.port), ...wantedPorts(spec, record.forwards)];
    const started = await withPorts(project, { spec, record, wanted, held: [] }, services, async (forwards) => {
      const current = withForwards(record, forwards);
      const plan = planStart(project, { ...machine, record: current }, services);
      return startWith(plan, { project, record: current, hosts: network.hosts, services });
    });
    await meterRun(project, { record: started.record, layout: project.states.layout(spec.name) }, { services });
    return started;
  });
}

/** How the guest is reached from now on. One that has taken its login user and key for good keeps them. */
function sshOf({ spec, box, record }: StartableMachine): MachineRecord['ssh'] {
  const { user, privateKeyPath } = record.ssh;
  const kept = isLoginFixed({ box }) && hasBooted(record) ? { user, privateKeyPath } : {};
  return { ...record.ssh, ...sshSettings(spec, box), ...kept };
}

/** The plan that a start follows; pure but for finding out which accelerator works. */
export function planStart(
  project: Project,
  { spec, box, network, record, ram }: StartableMachine,
  services: Services,
): MachinePlan {
  const accel = services.resolveAccelerator(spec.accel);
  const volumes = plannedVolumes(project, spec);
  return planMachine({
    spec: asMade(spec, record),
    box,
    accel,
    volumes,
    layout: project.states.layout(spec.name),
    nics: network.nics,
    ram,
    record,
  });
}

interface StartContext {
  readonly project: Project;
  readonly record: MachineRecord;
  readonly hosts: readonly HostEntry[];
  readonly services: Services;
}

async function startWith(plan: MachinePlan, { project, record, hosts, services }: StartContext): Promise<Started> {
  const { spec, nics } = plan;
  const provider = services.providers[spec.provider];
  await provider.check(plan);
  // From here on its disks change: what was in its memory would not fit any more.
  await removeMemory(plan.layout.memory);
  await provider.ensureDisks(plan, services);
  const seed = await writeSeed(plan, { user: record.ssh.user, hosts });
  // Recorded before the start: a killed `vm` must not leave a process that nobody knows how to reach.
  const starting: MachineRecord = {
    ...record,
    disks: ownDiskRecords(plan),
    nics,
    // The guest takes them up now: they may have been edited since the machine was made.
    ...(!hasBooted(record) && { madeWith: fixedSettings(plan) }),
    ...(plan.box?.seed === 'machinefile' && {
      hostsFingerprint: hostsFingerprint(hosts),
      seededEnvironment: environmentFingerprint(spec.environment),
      environmentFingerprint: environmentFingerprint(spec.environment),
    }),
    ready: undefined,
    isClockBehind: undefined,
    started: { at: new Date().toISOString(), haltTimeoutMs: spec.haltTimeoutMs, settings: restartSettings(plan) },
  };
  await project.states.write(starting);
  const running = await startOrWake(project, { plan, record, seed }, services);
  // Only now: a hypervisor that does not start shows the guest nothing, so that what is wrong can be corrected.
  const started = { ...starting, hasBooted: true };
  if (!starting.hasBooted) await project.states.write(started);
  reportDetached(plan, services);
  await writeSshConfig({ record: started, layout: plan.layout });
  return { record: started, ...running };
}
