import type { PortAddress } from '../../host/port-address.ts';
import type { OpenPort } from '../../machine/forwards.ts';
import type { MachineRecord, PortForward } from '../../machine/record.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import { PortTakenError } from '../../providers/provider.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { allocateForwards } from './allocate.ts';
import { declaredPorts } from './declared-ports.ts';
import { explainTaken } from './explain-taken.ts';
import { isGivenByHand, portsOfOthers, requireUnclaimed } from './other-machines.ts';
import type { WantedPort } from './wanted-ports.ts';

/** Somebody may take a chosen port before QEMU binds it; each time another is chosen. */
const PORT_ATTEMPTS = 5;

interface PortDecision {
  readonly spec: Pick<MachineSpec, 'name'>;
  readonly record: MachineRecord;
  readonly wanted: readonly WantedPort[];
  /** What its hypervisor has open now. */
  readonly held: readonly OpenPort[];
}

/**
 * Runs `use` with a host port for each wanted one; where one that vm may choose is taken meanwhile, again with others.
 * @throws PortTakenError with who has it, for one that may not be replaced.
 */
export async function withPorts<T>(
  project: Project,
  decision: PortDecision,
  services: Services,
  use: (forwards: readonly PortForward[]) => Promise<T>,
): Promise<T> {
  const hintFor = (address: PortAddress) => hintOf(decision, address);
  try {
    return await repeatedly(decision.wanted, async () => use(await decideForwards(project, decision)));
  } catch (error) {
    throw await explainTaken(error, { project, hintFor, services });
  }
}

/** @throws PortTakenError, not saying who has it; StateError for one that another machine of the project was given. */
async function decideForwards(project: Project, { spec, record, wanted, held }: PortDecision): Promise<PortForward[]> {
  const others = await portsOfOthers(project, spec.name);
  const given = others.filter(isGivenByHand);
  requireUnclaimed(wanted, given);
  const reserved = new Set(others.map(({ host }) => host));
  const { id: machineId, forwards: previous } = record;
  // Not to be chosen, also where they are free now: their owner may come up later.
  const beside = [...given, ...declaredPorts(project, spec.name)];
  return allocateForwards({ machine: spec.name, machineId, wanted, previous, held, beside, reserved });
}

/** Tries again while the port that was taken is one that vm may choose. */
export async function repeatedly<T>(wanted: readonly WantedPort[], attempt: () => Promise<T>): Promise<T> {
  for (let count = 1; ; count++) {
    try {
      return await attempt();
    } catch (error) {
      const isWorthMore = error instanceof PortTakenError && wishFor(wanted, error.address) === undefined;
      if (!isWorthMore || count === PORT_ATTEMPTS) throw error;
    }
  }
}

/** Who asked for just this port. */
function wishFor(wanted: readonly WantedPort[], { port, protocol }: PortAddress): WantedPort | undefined {
  return wanted.find((want) => want.host === port && want.protocol === protocol && !want.autoCorrect);
}

function hintOf({ spec, wanted }: PortDecision, address: PortAddress): string {
  if (wishFor(wanted, address)?.addedAs !== undefined) {
    return `vm port add gave it to ${spec.name}, vm port remove ${spec.name} ${address.port} takes it back`;
  }
  return `${spec.name} wants it: choose another host port, leave it away, or set auto_correct: true`;
}
