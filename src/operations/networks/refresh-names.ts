import { VmError } from '../../errors.ts';
import { LazyGuest } from '../guest.ts';
import { lockMachine } from '../machine-lock.ts';
import { forEachParallel } from '../parallel.ts';
import { type Project, requireSpec } from '../project.ts';
import type { Services } from '../services.ts';
import { applyNames } from './converge.ts';
import { hostsFingerprint } from './guest-network.ts';
import { type MachineNetwork, planNetworks } from './project-networks.ts';

/** How many guests are told at a time. */
const PARALLEL = 8;

/**
 * Tells the guests that run of machines that came, went or moved since they were told. One that cannot be told now is a
 * warning: the next `up` tells it.
 */
export async function refreshNames(project: Project, services: Services): Promise<void> {
  const networks = await planNetworks(project, requireSpec(project), services);
  const outdated: { name: string; network: MachineNetwork }[] = [];
  for (const [name, network] of networks) {
    const record = await project.states.readIfWhole(name);
    const { nics = [], hostsFingerprint: known } = record ?? {};
    if (nics.length > 0 && known !== hostsFingerprint(network.hosts)) outdated.push({ name, network });
  }
  await forEachParallel(outdated, PARALLEL, (machine) => tellNames(project, machine, services));
}

async function tellNames(
  project: Project,
  { name, network }: { readonly name: string; readonly network: MachineNetwork },
  services: Services,
): Promise<void> {
  await using _lock = await lockMachine(project, { name, purpose: 'vm up' }, services);
  const record = await project.states.read(name);
  if (record === undefined) return;
  const layout = project.states.layout(name);
  const observed = await services.providers[record.provider].state({ record, layout });
  // One that is started later is told then.
  if (observed.kind !== 'running' || record.ready === undefined) return;
  await using guest = new LazyGuest({ record, layout }, services);
  try {
    await applyNames(project, { record, network, guest }, services);
  } catch (error) {
    if (!(error instanceof VmError) || services.signal.aborted) throw error;
    const text = `does not know the names of all machines yet: ${error.message}`;
    services.reporter.report({ type: 'message', level: 'warning', subject: name, text });
  }
}
