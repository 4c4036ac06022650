import { VmError } from '../../errors.ts';
import { isSameProcess } from '../../host/processes.ts';
import { LazyGuest } from '../guest.ts';
import { forEachParallel } from '../parallel.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { applyNames } from './converge.ts';
import { hostsFingerprint } from './guest-network.ts';
import type { MachineNetwork, ProjectNetworks } from './project-networks.ts';

/** How many guests are told at a time. */
const PARALLEL = 8;

export interface NamesToTell {
  readonly networks: ProjectNetworks;
  /** Machines that are told in another way. */
  readonly except: readonly string[];
}

/**
 * Tells the guests that run of machines that came, went or moved since they were told. Names are known before their
 * machines exist, so this comes first. Nobody is waited for: a guest that cannot be told now is a warning, and the next
 * `up` tells it.
 */
export async function refreshNames(
  project: Project,
  { networks, except }: NamesToTell,
  services: Services,
): Promise<void> {
  const others = [...networks].flatMap(([name, network]) => (except.includes(name) ? [] : [{ name, network }]));
  await forEachParallel(others, PARALLEL, async ({ name, network }) => {
    const record = await project.states.readIfWhole(name);
    const { nics = [], hostsFingerprint: known } = record ?? {};
    if (nics.length === 0 || known === hostsFingerprint(network.hosts)) return;
    try {
      await tellNames(project, { name, network }, services);
    } catch (error) {
      if (!(error instanceof VmError) || services.signal.aborted) throw error;
      const text = `does not know the names of all machines yet: ${error.message}`;
      services.reporter.report({ type: 'message', level: 'warning', subject: name, text });
    }
  });
}

async function tellNames(
  project: Project,
  { name, network }: { readonly name: string; readonly network: MachineNetwork },
  services: Services,
): Promise<void> {
  await using _lock = await project.states.lock(name, { purpose: 'vm up', signal: services.signal, timeoutMs: 0 });
  const record = await project.states.read(name);
  if (record === undefined) return;
  const layout = project.states.layout(name);
  const observed = await services.providers[record.provider].state({ record, layout });
  // One that is started later is told then.
  if (observed.kind !== 'running' || !isSameProcess(record.ready, observed.process)) return;
  await using guest = new LazyGuest({ record, layout }, services);
  await applyNames(project, { record, network, guest }, services);
}
