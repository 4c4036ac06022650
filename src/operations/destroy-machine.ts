import { inPhase } from '../context.ts';
import { StateError } from '../errors.ts';
import { machineRuntimeDir } from '../machine/layout.ts';
import type { ConnectedNic } from '../machine/nics.ts';
import type { MachineRecord } from '../machine/record.ts';
import type { ProviderName } from '../machinefile/spec.ts';
import { handleOf, type MachineHandle } from '../providers/provider.ts';
import { discardPrivate } from './clone/private-layers.ts';
import { closeSharedConnection } from './guest.ts';
import { withHooks } from './hooks.ts';
import { discardUnfinished } from './layers/freezing.ts';
import { releaseSwitches } from './networks/switches.ts';
import type { Project } from './project.ts';
import type { Services } from './services.ts';
import { meterEnd } from './usage/metering.ts';
import { askOverSharedConnection } from './usage/network-reading.ts';

/** Removes one machine, between its hooks, or what a killed create of it left. Call with its lock held. Repeatable. */
export async function destroyMachine(project: Project, name: string, services: Services): Promise<void> {
  const { states } = project;
  const found = await findHandle(project, name, services);
  if (found === undefined) {
    await states.removeLeftovers(name);
    return;
  }
  await withHooks(project, { machine: name, operation: 'destroy' }, services, () =>
    inPhase(services, name, 'destroy', async () => {
      const { handle, record } = found;
      const provider = services.providers[found.provider];
      const network = record && (await askOverSharedConnection({ record, layout: handle.layout }));
      await closeSharedConnection(handle);
      const { lastFigures } = await provider.stop(handle, { force: true }, services);
      const ended = { lastFigures, network, isDestroyed: true };
      await meterEnd(project, { id: handle.id, name, record }, { ended, services });
      await provider.release(handle, services);
      await releaseSwitches(project, found, services);
      await states.remove(name);
      await services.index.remove(handle.id);
      if (record) await discardUnfinished(record, services);
      if (record) await discardPrivate(record, 'vm destroy', services);
    }),
  );
}

interface FoundMachine {
  readonly provider: ProviderName;
  readonly handle: MachineHandle;
  readonly nics: readonly ConnectedNic[];
  /** Undefined where it is damaged. */
  readonly record: MachineRecord | undefined;
}

/** With a damaged record the machine's process and sockets are still found: the index knows its id. */
async function findHandle(project: Project, name: string, services: Services): Promise<FoundMachine | undefined> {
  const layout = project.states.layout(name);
  try {
    const record = await project.states.read(name);
    if (record === undefined) return undefined;
    const { provider, nics = [] } = record;
    return { provider, handle: handleOf({ record, layout }), nics, record };
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    const entries = await services.index.list();
    const entry = entries.find(({ projectDir, machine }) => projectDir === project.projectDir && machine === name);
    if (entry === undefined) throw error;
    const { id, provider } = entry;
    const runtimeDir = machineRuntimeDir(services.dirs.runtimeDir, id);
    // Which networks it was on is not known any more: the next machine that leaves one of them ends its switch.
    return { provider, handle: { id, name, layout, runtimeDir }, nics: [], record: undefined };
  }
}
