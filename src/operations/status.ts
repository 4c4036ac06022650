import { StateError, VmError } from '../errors.ts';
import { isSameProcess } from '../host/processes.ts';
import type { ConnectedNic, Segment } from '../machine/nics.ts';
import type { MachineRecord, MachineState, PortForward } from '../machine/record.ts';
import { StateStore } from '../machine/state-store.ts';
import { placeOf } from '../machinefile/forms/box.ts';
import type { ObservedState } from '../providers/provider.ts';
import { type Health, observeHealth } from './health/health.ts';
import { findTargets, type Project, requireSpec, type Target } from './project.ts';
import type { Services } from './services.ts';
import { isInstalledByHand } from './up/by-hand.ts';

/** A private network of a machine, as it was last started with. */
export interface NetworkStatus {
  readonly network: string;
  readonly address: string;
  readonly address6: string | null;
  readonly mac: string;
  /** Bytes. */
  readonly mtu: number;
  readonly segment: Segment['kind'];
}

const DEFAULT_MTU = 1500;

/** One machine as `vm status --json` prints it. */
export interface MachineStatus {
  readonly machine: string;
  readonly state: MachineState;
  /** Why, where the state alone does not say. */
  readonly reason: string | null;
  readonly provider: string;
  readonly box: string | null;
  readonly ssh: { readonly host: string; readonly port: number; readonly user: string } | null;
  readonly ports: readonly {
    readonly host_ip: string;
    readonly host: number;
    readonly guest: number;
    readonly protocol: string;
  }[];
  readonly addresses: Readonly<Record<string, string>>;
  readonly networks: readonly NetworkStatus[];
  /** What its health check says now; null where it has none, is not running, or was not asked. */
  readonly health: Health | null;
  readonly provisioned: boolean;
  readonly pid: number | null;
  /** ISO 8601; when the machine was started, while it runs. */
  readonly started_at: string | null;
}

export interface StatusRequest {
  readonly patterns: readonly string[];
  /** Whether running machines that have a health check are asked for it. */
  readonly checksHealth: boolean;
}

/**
 * The state of the selected machines, observed now. Waits for no lock.
 *
 * Health, too, is observed and not stored: the check runs once, in all machines at the same time. That takes a login and
 * the check's own time (at most its timeout), so machines without a health check are not even connected to.
 * @throws the Machinefile's own error, where no machine exists either.
 */
export async function status(
  project: Project,
  { patterns, checksHealth }: StatusRequest,
  services: Services,
): Promise<MachineStatus[]> {
  const targets = await findTargets(project, patterns);
  if (targets.length === 0) requireSpec(project);
  if (project.spec instanceof VmError) {
    services.reporter.report({
      type: 'message',
      level: 'warning',
      text: 'the Machinefile cannot be read, so only machines that exist are shown; vm validate says why',
    });
  }
  return Promise.all(targets.map((target) => statusOf(project, target, { checksHealth, services })));
}

export interface HostMachineStatus extends MachineStatus {
  readonly project: string;
}

/** The same for every project of this user on this host, from the records alone: these know no health checks. */
export async function statusOfHost(services: Services): Promise<HostMachineStatus[]> {
  const entries = await services.index.list();
  return Promise.all(
    entries.map(async ({ projectDir, machine }) => {
      const spec = { name: '', projectDir, machines: [], groups: [], networks: [], volumes: [] };
      const project = { projectDir, states: new StateStore(projectDir), spec, activeProfiles: [] };
      const target = { name: machine, spec: undefined, replica: undefined, exists: true, isActive: true };
      return { ...(await statusOf(project, target, { checksHealth: false, services })), project: projectDir };
    }),
  );
}

async function statusOf(
  project: Project,
  target: Target,
  { checksHealth, services }: { readonly checksHealth: boolean; readonly services: Services },
): Promise<MachineStatus> {
  const { states } = project;
  try {
    const record = await states.read(target.name);
    if (record === undefined) return emptyStatus(target, 'not_created');
    const machine = { record, layout: states.layout(target.name) };
    const described = describe(target, record, await services.providers[record.provider].state(machine));
    const healthcheck = checksHealth ? target.spec?.healthcheck : undefined;
    if (healthcheck === undefined) return described;
    if (described.state === 'starting') return { ...described, health: 'starting' };
    if (described.state !== 'running') return described;
    return { ...described, health: await observeHealth(machine, healthcheck, services) };
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    return { ...emptyStatus(target, 'broken'), reason: error.message };
  }
}

function describe(target: Target, record: MachineRecord, observed: ObservedState): MachineStatus {
  const pid = 'process' in observed ? observed.process.pid : null;
  const { hostIp, port, user } = record.ssh;
  return {
    ...emptyStatus(target, machineState(record, observed)),
    reason: 'reason' in observed ? observed.reason : null,
    provider: record.provider,
    box: record.box?.name ?? null,
    ssh: pid === null ? null : { host: hostIp, port, user },
    ports: record.forwards.slice(1).map(jsonForward),
    addresses: Object.fromEntries((record.nics ?? []).map(({ network, address }) => [network, address])),
    networks: (record.nics ?? []).map(jsonNic),
    provisioned: isProvisioned(target, record),
    pid,
    started_at: pid === null ? null : (record.started?.at ?? null),
  };
}

function jsonNic({ network, address, address6, macAddress, mtu, segment }: ConnectedNic): NetworkStatus {
  return {
    network,
    address,
    address6: address6 ?? null,
    mac: macAddress,
    mtu: mtu ?? DEFAULT_MTU,
    segment: segment.kind,
  };
}

function jsonForward({ hostIp, host, guest, protocol }: PortForward): MachineStatus['ports'][number] {
  return { host_ip: hostIp, host, guest, protocol };
}

/** A machine runs when this very process of it was seen to accept a login; until then, if anybody waits, it starts. */
function machineState(record: MachineRecord, observed: ObservedState): MachineState {
  switch (observed.kind) {
    case 'stopped':
    case 'suspended':
    case 'broken':
      return observed.kind;
    case 'paused':
      return 'suspended';
    case 'restoring':
      return 'starting';
    case 'running': {
      const isUp = isInstalledByHand(record) || isSameProcess(record.ready, observed.process);
      return isUp ? 'running' : 'starting';
    }
  }
}

function isProvisioned({ spec }: Target, record: MachineRecord): boolean {
  const once = spec?.provision.filter(({ run }) => run === 'once') ?? [];
  return once.every(({ name }) => name in record.steps);
}

function emptyStatus({ name, spec }: Target, state: MachineState): MachineStatus {
  return {
    machine: name,
    state,
    reason: null,
    provider: spec?.provider ?? 'qemu',
    box: spec?.box === undefined ? null : placeOf(spec.box),
    ssh: null,
    ports: [],
    addresses: {},
    networks: [],
    health: null,
    provisioned: false,
    pid: null,
    started_at: null,
  };
}
