import type { Box } from '../../boxes/box.ts';
import { inPhase } from '../../context.ts';
import { ensureRuntimeDir } from '../../host/dirs.ts';
import type { ProcessIdentity } from '../../host/processes.ts';
import { machineRuntimeDir } from '../../machine/layout.ts';
import { type MachinePlan, planMachine, restartSettings } from '../../machine/plan.ts';
import type { MachineRecord, PortForward } from '../../machine/record.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import type { HostEntry } from '../../networks/names.ts';
import { PortTakenError } from '../../providers/provider.ts';
import { writeSshConfig } from '../guest.ts';
import { hostsFingerprint } from '../networks/guest-network.ts';
import type { MachineNetwork } from '../networks/project-networks.ts';
import { holdSwitches } from '../networks/switches.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { sshSettings, withForwards } from './create.ts';
import { allocateForwards, isReplaceable } from './forwards.ts';
import { ownDiskRecords, reportDetached } from './own-disks.ts';
import { writeSeed } from './seed.ts';

/** Somebody may take a chosen port before QEMU binds it; each time another is chosen. */
const PORT_ATTEMPTS = 5;

export interface Started {
  readonly record: MachineRecord;
  readonly process: ProcessIdentity;
}

/** A machine, and what the Machinefile says of it now. */
export interface StartableMachine {
  readonly spec: MachineSpec;
  readonly box: Box | undefined;
  readonly network: MachineNetwork;
  readonly record: MachineRecord;
}

/** Starts a stopped machine with what the Machinefile says now. Call with the machine's lock held. */
export async function startMachine(project: Project, machine: StartableMachine, services: Services): Promise<Started> {
  const { spec, box, network } = machine;
  return inPhase(services, spec.name, 'start', async () => {
    ensureRuntimeDir(services.dirs.runtimeDir, services.uid);
    let record: MachineRecord = {
      ...machine.record,
      replica: spec.replica,
      runtimeDir: machineRuntimeDir(services.dirs.runtimeDir, machine.record.id),
      ssh: { ...machine.record.ssh, ...sshSettings(spec, box) },
    };
    for (let attempt = 1; ; attempt++) {
      record = await choosePorts(project, spec, record);
      const plan = planStart(project, { ...machine, record }, services);
      try {
        return await startWith(plan, { project, record, hosts: network.hosts, services });
      } catch (error) {
        if (!isWorthAnotherPort(error, spec) || attempt === PORT_ATTEMPTS) throw error;
      }
    }
  });
}

function isWorthAnotherPort(error: unknown, spec: MachineSpec): boolean {
  return error instanceof PortTakenError && isReplaceable(spec, error.port);
}

/** The plan that a start follows; pure but for finding out which accelerator works. */
export function planStart(
  project: Project,
  { spec, box, network, record }: StartableMachine,
  services: Services,
): MachinePlan {
  const accel = services.resolveAccelerator(spec.accel);
  return planMachine({ spec, box, accel, layout: project.states.layout(spec.name), nics: network.nics, record });
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
  await provider.ensureDisks(plan, services);
  await writeSeed(plan, { user: record.ssh.user, hosts });
  // Recorded before the start: a killed `vm` must not leave a process that nobody knows how to reach.
  const starting: MachineRecord = {
    ...record,
    disks: ownDiskRecords(plan),
    nics,
    ...(plan.box?.seed === 'machinefile' && { hostsFingerprint: hostsFingerprint(hosts) }),
    ready: undefined,
    started: { at: new Date().toISOString(), haltTimeoutMs: spec.haltTimeoutMs, settings: restartSettings(plan) },
  };
  await project.states.write(starting);
  await using _switches = await holdSwitches(project, nics, services);
  const process = await provider.start(plan, services);
  reportDetached(plan, services);
  await writeSshConfig({ record: starting, layout: plan.layout });
  return { record: starting, process };
}

async function choosePorts(project: Project, spec: MachineSpec, record: MachineRecord): Promise<MachineRecord> {
  const reserved = await portsOfOthers(project, spec.name);
  const { id, forwards: previous } = record;
  return withForwards(record, await allocateForwards({ spec, machineId: id, previous, reserved }));
}

async function portsOfOthers({ states }: Project, machine: string): Promise<Set<number>> {
  const others = (await states.list()).filter((name) => name !== machine);
  // The ports of a damaged one are not known: those that are in use are found by binding.
  const records = await Promise.all(others.map((name) => states.readIfWhole(name)));
  return new Set(records.flatMap((other) => other?.forwards ?? []).map(({ host }: PortForward) => host));
}
