import { networkInterfaces } from 'node:os';
import type { ConnectedNic, Nic, Segment } from '../../machine/nics.ts';
import type { MachineRecord } from '../../machine/record.ts';
import { parseSubnet } from '../../machinefile/addresses.ts';
import { allocateNics } from '../../networks/allocate.ts';
import { type HostEntry, hostEntries } from '../../networks/names.ts';
import { isInUse, multicastSegment, vdeSegment } from '../../networks/segment.ts';
import { VDE_MAX_MTU } from '../../networks/vde-switch.ts';
import { type Project, requireSpec } from '../project.ts';
import type { Services } from '../services.ts';

/** A machine's place on the private networks of its project. */
export interface MachineNetwork {
  readonly nics: readonly ConnectedNic[];
  /** By which names it reaches whom. */
  readonly hosts: readonly HostEntry[];
}

/** Of a machine that is alone. */
export const NO_NETWORK: MachineNetwork = { nics: [], hosts: [] };

/** By the machines' names. */
export type ProjectNetworks = ReadonlyMap<string, MachineNetwork>;

/** The cards of every machine of the Machinefile, also of those that do not exist yet, by its name. */
export async function planCards(project: Project): Promise<ReadonlyMap<string, readonly Nic[]>> {
  return requireSpec(project).networks.length === 0 ? new Map() : cardsAfter(project, await recordedNics(project));
}

function cardsAfter(project: Project, previous: RecordedNics): ReadonlyMap<string, readonly Nic[]> {
  const spec = requireSpec(project);
  return allocateNics({ project: spec, members: spec.machines, previous, hostSubnets: hostSubnets() });
}

/** The place of every machine of the Machinefile, also of those that do not exist yet, by its name. */
export async function planNetworks(project: Project, services: Services): Promise<ProjectNetworks> {
  const spec = requireSpec(project);
  if (spec.networks.length === 0) return new Map();
  const previous = await recordedNics(project);
  const nics = cardsAfter(project, previous);
  const guests = spec.machines.map(({ name, hostname, replica }) => ({
    name,
    hostname,
    group: replica?.of,
    nics: nics.get(name) ?? [],
  }));
  const segments = new Map<string, Segment>();
  for (const nic of guests.flatMap((guest) => guest.nics)) {
    if (segments.has(nic.networkId)) continue;
    segments.set(nic.networkId, await segmentOf(nic, { previous, services }));
  }
  return new Map(
    guests.map((guest) => [
      guest.name,
      { nics: guest.nics.flatMap((nic) => connect(nic, segments)), hosts: hostEntries(guest, guests) },
    ]),
  );
}

function connect(nic: Nic, segments: ReadonlyMap<string, Segment>): ConnectedNic[] {
  const segment = segments.get(nic.networkId);
  return segment === undefined ? [] : [{ ...nic, segment }];
}

type RecordedNics = ReadonlyMap<string, readonly ConnectedNic[]>;

async function recordedNics({ states }: Project): Promise<RecordedNics> {
  // What a damaged record says is not known: its machine gets the addresses of a new one.
  const records = await Promise.all((await states.list()).map((name) => states.readIfWhole(name)));
  const known = records.filter((record): record is MachineRecord => record !== undefined);
  return new Map(known.map(({ machine, nics = [] }) => [machine, nics]));
}

/**
 * On which segment a network is: that of its machines that run, whatever could be used today; else a switch of its own,
 * where there is one.
 */
async function segmentOf(
  { networkId, mtu = VDE_MAX_MTU }: Nic,
  { previous, services }: { readonly previous: RecordedNics; readonly services: Services },
): Promise<Segment> {
  const recorded = [...previous.values()].flat().filter((nic) => nic.networkId === networkId);
  const inUse = recorded.find(({ segment }) => isInUse(networkId, segment));
  if (inUse !== undefined) return inUse.segment;
  const canSwitch = mtu <= VDE_MAX_MTU && (await services.hasVde());
  return canSwitch ? vdeSegment(networkId, services.dirs.runtimeDir) : multicastSegment(networkId);
}

function hostSubnets() {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.flatMap(({ cidr }) => (cidr && parseSubnet(cidr)) || []);
}
