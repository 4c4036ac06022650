import { inPhase } from '../../context.ts';
import { GuestError, StateError, TimeoutError } from '../../errors.ts';
import type { LayerDisk } from '../../layers/layer.ts';
import { asMade } from '../../machine/settings.ts';
import { cloneSpec } from '../../machinefile/clones.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import type { RecordedMachine } from '../../providers/provider.ts';
import { LazyGuest } from '../guest.ts';
import { writeBack } from '../layers/write-back.ts';
import { lockMachine } from '../machine-lock.ts';
import { NO_NETWORK } from '../networks/project-networks.ts';
import { findTarget, type Project, requireMachine, requireSpec } from '../project.ts';
import type { Services } from '../services.ts';
import { settledState } from '../suspend/settled-state.ts';
import { createMachine } from '../up/create.ts';
import { checkClonable, checkCloneName, checkState, packageHint } from './obstacle.ts';
import { freezePrivately } from './private-layers.ts';

export interface CloneRequest {
  readonly machine: string;
  /** What the clone is to be called. */
  readonly name: string;
}

/**
 * Makes a machine with the disks that another has now, and all that tells it from that one its own. It is stopped; the
 * other stays as it is, running or stopped. Killed at any instant it leaves a whole clone or none.
 * @throws UsageError for a name that cannot be had; StateError with what forbids it: nothing is changed then.
 */
export async function cloneMachine(project: Project, request: CloneRequest, services: Services): Promise<void> {
  const { states } = project;
  const { name: original, spec: found } = await findTarget(project, request.machine);
  const spec = requireSpec(project);
  checkCloneName(request.name, spec, await states.list());
  // Before the locks, which would make the project's state folder.
  await requireMachine(project, original);
  if (found === undefined) {
    throw new StateError(`${original} has left the Machinefile, which would say what its clone is to be`, {
      hint: 'put it back, and clone it then',
    });
  }
  // Always in the same order: two clones, each of the other's name, must not wait for one another.
  const [first, second] = original < request.name ? [original, request.name] : [request.name, original];
  await using _first = await lockMachine(project, { name: first, purpose: 'vm clone' }, services);
  await using _second = await lockMachine(project, { name: second, purpose: 'vm clone' }, services);
  checkCloneName(request.name, spec, await states.list());
  await makeClone(project, { original: found, clone: cloneSpec(found, request.name) }, services);
}

interface Pair {
  readonly original: MachineSpec;
  readonly clone: MachineSpec;
}

async function makeClone(project: Project, { original, clone }: Pair, services: Services): Promise<void> {
  const { name } = original;
  const machine = await requireMachine(project, name);
  const { record } = machine;
  const box = record.box && (await services.boxes.get(record.box.key));
  await checkClonable(project, { machine, spec: original, box }, services);
  const observed = await settledState(machine, services);
  checkState(name, observed);
  if (observed.kind === 'running') await inPhase(services, name, 'flush', () => flushOf(machine, services));
  const layer = await inPhase(services, name, 'freeze', () => freezePrivately(project, machine, services));
  const made = {
    spec: asLargeAs(asMade(clone, record), layer.disks),
    box,
    projectName: requireSpec(project).name,
    // Its start chooses its addresses: there may be other clones by then.
    network: NO_NETWORK,
    start: { layer, steps: record.steps },
  };
  await createMachine(project, made, services);
}

/** What the guest holds back is on its disks then. @throws GuestError where it does not answer. */
async function flushOf(machine: RecordedMachine, services: Services): Promise<void> {
  await using guest = new LazyGuest(machine, services);
  try {
    await writeBack(guest, services);
  } catch (error) {
    if (!(error instanceof GuestError || error instanceof TimeoutError)) throw error;
    const name = machine.record.machine;
    const isAnswer = error instanceof GuestError && error.exitCode !== undefined;
    throw new GuestError(`${name} cannot be cloned: ${error.message}`, {
      hint: isAnswer ? packageHint(name) : `vm halt ${name}, and clone it then`,
      cause: error,
    });
  }
}

/** An overlay that is smaller than what it stands on would cut that off, whatever the Machinefile says by now. */
function asLargeAs(spec: MachineSpec, frozen: readonly LayerDisk[]): MachineSpec {
  const bytesOf = (id: string) => frozen.find((disk) => disk.id === id)?.virtualSizeBytes ?? 0;
  return {
    ...spec,
    diskBytes: Math.max(spec.diskBytes ?? 0, bytesOf('root')),
    disks: spec.disks.map((disk) => ({ ...disk, sizeBytes: Math.max(disk.sizeBytes, bytesOf(`own-${disk.name}`)) })),
  };
}
