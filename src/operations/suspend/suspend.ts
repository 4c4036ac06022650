import { inPhase } from '../../context.ts';
import { StateError } from '../../errors.ts';
import { isSameProcess } from '../../host/processes.ts';
import { handleOf, type RecordedMachine } from '../../providers/provider.ts';
import { closeSharedConnection } from '../guest.ts';
import { lockMachine } from '../machine-lock.ts';
import { releaseSwitches } from '../networks/switches.ts';
import { inReverse } from '../order/graph.ts';
import { runInOrder } from '../order/run-in-order.ts';
import { findTargets, type Project } from '../project.ts';
import type { Services } from '../services.ts';
import { meterEnd, meterRun } from '../usage/metering.ts';
import { askOverSharedConnection } from '../usage/network-reading.ts';
import { flush } from './flush.ts';
import { letRunOn, settledState } from './settled-state.ts';

export interface SuspendOutcome {
  readonly machine: string;
  readonly outcome: 'suspended' | 'already_suspended' | 'not_running' | 'not_created';
}

/**
 * Saves what is in the memory of the selected machines and ends them, each after those that depend on it. One that cannot
 * be suspended runs on, and keeps no other running. Works from the record, also without a Machinefile.
 */
export async function suspend(
  project: Project,
  patterns: readonly string[],
  services: Services,
): Promise<SuspendOutcome[]> {
  const targets = await findTargets(project, patterns);
  const ordered = inReverse(targets.map((target) => ({ ...target, dependsOn: target.spec?.dependsOn ?? [] })));
  return runInOrder(ordered, { limit: targets.length }, async ({ name, exists }) => {
    if (!exists) return { machine: name, outcome: 'not_created' as const };
    await using _lock = await lockMachine(project, { name, purpose: 'vm suspend' }, services);
    // Awaited here: the lock is given up at the end of this function.
    return await suspendMachine(project, name, services);
  });
}

async function suspendMachine(project: Project, name: string, services: Services): Promise<SuspendOutcome> {
  const record = await project.states.read(name);
  if (record === undefined) return { machine: name, outcome: 'not_created' };
  const machine = { record, layout: project.states.layout(name) };
  const observed = await settledState(machine, services);
  switch (observed.kind) {
    case 'suspended':
      await releaseSwitches(project, record, services);
      return { machine: name, outcome: 'already_suspended' };
    case 'stopped':
      return { machine: name, outcome: 'not_running' };
    case 'broken':
      throw new StateError(`${name} cannot be suspended: ${observed.reason}`);
    case 'paused':
      // A killed suspend may have left it so; the hypervisor has given up its disks then.
      await letRunOn(machine, services);
      break;
    case 'running':
      if (isSameProcess(record.ready, observed.process)) await flush(machine, services);
  }
  await inPhase(services, name, 'suspend', () => saveAndEnd(project, machine, services));
  await releaseSwitches(project, record, services);
  return { machine: name, outcome: 'suspended' };
}

async function saveAndEnd(project: Project, machine: RecordedMachine, services: Services): Promise<void> {
  const { record, layout } = machine;
  const provider = services.providers[record.provider];
  // Should this vm be killed, it is known as of now what the run has used.
  await meterRun(project, machine, { services });
  const network = await askOverSharedConnection(machine);
  await provider.saveMemory(machine, layout.memory, services);
  await closeSharedConnection(handleOf(machine));
  const { lastFigures } = await provider.stop(handleOf(machine), { force: true }, services);
  const ended = { lastFigures, network, isDestroyed: false };
  await meterEnd(project, { id: record.id, name: record.machine, record }, { ended, services });
}
