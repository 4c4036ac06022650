import { inPhase } from '../context.ts';
import { StateError } from '../errors.ts';
import { machineRuntimeDir } from '../machine/layout.ts';
import type { ConnectedNic } from '../machine/nics.ts';
import type { ProviderName } from '../machinefile/spec.ts';
import { handleOf, type MachineHandle } from '../providers/provider.ts';
import { closeSharedConnection } from './guest.ts';
import { withHooks } from './hooks.ts';
import { releaseSwitches } from './networks/switches.ts';
import type { Project } from './project.ts';
import type { Services } from './services.ts';

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
      await closeSharedConnection(found.handle);
      await services.providers[found.provider].release(found.handle, services);
      await releaseSwitches(project, found, services);
      await states.remove(name);
      await services.index.remove(found.handle.id);
    }),
  );
}

interface FoundMachine {
  readonly provider: ProviderName;
  readonly handle: MachineHandle;
  readonly nics: readonly ConnectedNic[];
}

/** With a damaged record the machine's process and sockets are still found: the index knows its id. */
async function findHandle(project: Project, name: string, services: Services): Promise<FoundMachine | undefined> {
  const layout = project.states.layout(name);
  try {
    const record = await project.states.read(name);
    return record && { provider: record.provider, handle: handleOf({ record, layout }), nics: record.nics ?? [] };
  } catch (error) {
    if (!(error instanceof StateError)) throw error;
    const entries = await services.index.list();
    const entry = entries.find(({ projectDir, machine }) => projectDir === project.projectDir && machine === name);
    if (entry === undefined) throw error;
    const { id, provider } = entry;
    // Which networks it was on is not known any more: the next machine that leaves one of them ends its switch.
    return {
      provider,
      nics: [],
      handle: { id, name, layout, runtimeDir: machineRuntimeDir(services.dirs.runtimeDir, id) },
    };
  }
}
