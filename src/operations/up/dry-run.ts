import type { HostCommand } from '../../host/exec.ts';
import { machineRuntimeDir } from '../../machine/layout.ts';
import { planMachine } from '../../machine/plan.ts';
import { asMade } from '../../machine/settings.ts';
import { findChain } from '../layers/chain.ts';
import { planNetworks } from '../networks/project-networks.ts';
import { switchCommands } from '../networks/switches.ts';
import { sshPort, wantedPorts } from '../ports/wanted-ports.ts';
import { withPorts } from '../ports/with-ports.ts';
import type { Project } from '../project.ts';
import { prepareSteps } from '../provision/ready-step.ts';
import type { Services } from '../services.ts';
import { describeVolumes } from '../volumes/format.ts';
import { plannedVolumes } from '../volumes/planned.ts';
import { newRecord, withForwards } from './create.ts';
import type { UpTarget } from './machine.ts';
import { inOrder, selectSpecs, type UpRequest, withBoxes } from './up.ts';

/** The commands that `up` would run on the host for one machine. */
export interface MachineCommands {
  readonly machine: string;
  readonly commands: readonly HostCommand[];
}

/**
 * What `vm up` would run for machines that do not run yet, in its order; changes nothing but the box store.
 * Identifiers and chosen ports of a machine that does not exist are examples: `up` chooses its own.
 */
export async function dryRun(
  project: Project,
  request: Pick<UpRequest, 'patterns' | 'withDependencies'>,
  services: Services,
): Promise<MachineCommands[]> {
  const specs = inOrder(project, await selectSpecs(project, request.patterns), request);
  const networks = await planNetworks(project, services);
  const targets = await withBoxes(project, specs, { lock: 'keep', recreated: [], networks, services });
  return Promise.all(targets.map((target) => describeMachine(project, target, services)));
}

async function describeMachine(project: Project, target: UpTarget, services: Services): Promise<MachineCommands> {
  const { spec, box, projectName, network } = target;
  const existing = await project.states.read(spec.name);
  const layout = project.states.layout(spec.name);
  const provider = services.providers[spec.provider];
  const before = existing ?? newRecord(projectName, spec, box, services.dirs.runtimeDir);
  const previous = before.forwards;
  const wanted = [sshPort(spec.ssh.port), ...wantedPorts(spec, previous)];
  // What it has is not to be found taken: it may be running.
  const decision = { spec, record: before, wanted, held: previous };
  const forwards = await withPorts(project, decision, services, async (chosen) => chosen);
  const record = {
    ...withForwards(before, forwards),
    runtimeDir: machineRuntimeDir(services.dirs.runtimeDir, before.id),
  };
  const accel = services.resolveAccelerator(spec.accel);
  const volumes = plannedVolumes(project, spec);
  const subject = { ...target, nics: network.nics, steps: await prepareSteps(spec) };
  const chain = existing ? undefined : await findChain(project, subject, { usesSteps: true, services });
  const base = new Map(chain?.layer?.disks.map(({ id, path }) => [id, path]));
  const startable = asMade(spec, record);
  const plan = planMachine({ spec: startable, box, base, accel, volumes, layout, nics: network.nics, record });
  const create = existing === undefined ? provider.describeCreate(plan) : [];
  const switches = switchCommands(network.nics);
  const made = await describeVolumes(project, volumes);
  return { machine: spec.name, commands: [...create, ...made, ...switches, ...provider.describeStart(plan)] };
}
