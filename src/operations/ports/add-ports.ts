import type { MachineRecord, PortForward } from '../../machine/record.ts';
import type { PortSpec } from '../../machinefile/spec.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { allocateForwards } from './allocate.ts';
import { declaredPorts, requireOwnFree } from './declared-ports.ts';
import { explainTaken } from './explain-taken.ts';
import { type LockedMachine, type PortChange, saveForwards, withLockedMachine } from './locked-machine.ts';
import { type OtherPort, portsOfOthers, requireUnclaimed } from './other-machines.ts';
import { isAnswer, sshPort, type WantedPort } from './wanted-ports.ts';
import { repeatedly } from './with-ports.ts';

export interface PortAddition {
  readonly machine: string;
  readonly ports: readonly PortSpec[];
}

/**
 * Forwards further ports, at once where the machine runs, until they are removed. What it has already stays as it is.
 * Works from the record, also without a Machinefile.
 * @throws PortTakenError with who has one of them, VmError where a machine of the project has: none is added then.
 */
export async function addPorts(
  project: Project,
  { machine, ports }: PortAddition,
  services: Services,
): Promise<PortChange> {
  const purpose = 'vm port add';
  const asked = ports.map((port): WantedPort => ({ ...port, addedAs: port.host === undefined ? 'chosen' : 'given' }));
  return withLockedMachine(project, { machine, purpose }, services, async (locked) => {
    // Two stopped machines that were given one port at the same time would each find it free.
    await using _ports = await project.states.lockPorts({ purpose, signal: services.signal });
    const { record } = locked;
    const missing = asked.filter((want) => !record.forwards.some((forward) => isAnswer(forward, want)));
    requireOwnFree(project, missing, record);
    const others = await portsOfOthers(project, record.machine);
    requireUnclaimed(missing, [...others, ...declaredPorts(project, record.machine)]);
    const hintFor = () => 'choose another host port, or leave it away';
    try {
      const forwards = await repeatedly(missing, async () => {
        const all = await withAdded(locked, missing, others);
        await saveForwards(project, locked, all, services);
        return all;
      });
      return { forwards, ports: asked.flatMap((want) => forwards.find((forward) => isAnswer(forward, want)) ?? []) };
    } catch (error) {
      throw await explainTaken(error, { project, hintFor, services });
    }
  });
}

/** All forwards of the machine, with host ports for those that it does not have yet. */
async function withAdded(
  { record, held }: LockedMachine,
  missing: readonly WantedPort[],
  others: readonly OtherPort[],
): Promise<readonly PortForward[]> {
  const reserved = new Set(others.map(({ host }) => host));
  const before = await startedWith(record, reserved);
  const { machine, id: machineId } = record;
  const request = { machine, machineId, wanted: missing, previous: [], held, beside: before, reserved };
  return [...before, ...(await allocateForwards(request))];
}

/** The first forward is SSH's, also of a machine that has never been started. */
async function startedWith(
  { machine, id: machineId, forwards }: MachineRecord,
  reserved: ReadonlySet<number>,
): Promise<readonly PortForward[]> {
  if (forwards.length > 0) return forwards;
  const wanted = [sshPort(undefined)];
  return allocateForwards({ machine, machineId, wanted, previous: [], held: [], beside: [], reserved });
}
