import { dirname } from 'node:path';
import type { Box, SeedKind } from '../../boxes/box.ts';
import type { PackageFormat } from '../../boxes/packaging/package-format.ts';
import { checkDiskCount, writePackage } from '../../boxes/packaging/write-package.ts';
import { inPhase } from '../../context.ts';
import { GuestError, StateError, UsageError, VmError } from '../../errors.ts';
import { kindOfPath } from '../../host/path-kind.ts';
import type { MachineRecord } from '../../machine/record.ts';
import { startedVolumes } from '../../machine/volume.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import type { RecordedMachine } from '../../providers/provider.ts';
import { haltMachine } from '../halt.ts';
import { lockMachine } from '../machine-lock.ts';
import { NO_NETWORK } from '../networks/project-networks.ts';
import { findTarget, type Project, requireMachine, requireSpec } from '../project.ts';
import type { Services } from '../services.ts';
import { createMachine } from '../up/create.ts';
import { upMachine } from '../up/machine.ts';
import { captureBox } from './capture.ts';
import { generalise } from './generalise.ts';
import { disksOf, type MachineDisks } from './machine-disks.ts';
import { overlaysOnBox, standOnBox } from './onto-box.ts';
import { openWorkshop, withWayOn, workshopSpec } from './workshop.ts';

/** Where a packaged machine goes. */
export type PackageTarget =
  /** A file; `path` is absolute. */
  | { readonly kind: 'file'; readonly format: PackageFormat; readonly path: string }
  /** The store, under this name. */
  | { readonly kind: 'store'; readonly name: string; readonly version: string };

export interface PackageRequest {
  readonly machine: string | undefined;
  targetFor(machine: string): PackageTarget;
  /** Whether the guest is left as it is, with its keys, logs and host name, and not booted. */
  readonly asIs: boolean;
}

export interface Packaged {
  readonly machine: string;
  readonly result: { readonly kind: 'file'; readonly path: string } | { readonly kind: 'store'; readonly box: Box };
}

/**
 * Makes a box of a machine, which is halted if it runs, and not changed: what is its own is removed from a copy, which
 * boots for that.
 * @throws UsageError if the file exists; VmError if the machine cannot be packaged so; GuestError if its guest is in the
 * way. Nothing is left of the attempt.
 */
export async function packageMachine(project: Project, request: PackageRequest, services: Services): Promise<Packaged> {
  const { name } = await findTarget(project, request.machine);
  const target = request.targetFor(name);
  if (target.kind === 'file') await checkPlace(target.path);
  await requireMachine(project, name);
  await using _lock = await lockMachine(project, { name, purpose: 'vm package' }, services);
  const original = await requireMachine(project, name);
  const { key } = original.record.box ?? {};
  const box = key === undefined ? undefined : await services.boxes.get(key);
  const machine = { original, box, spec: specOf(project, name) };
  checkPossible(machine, target, request.asIs);
  await checkStartable(original, services);
  reportLeftOut(original.record, services);
  const { outcome } = await haltMachine(project, name, { force: false, services });
  if (outcome === 'quit' || outcome === 'killed') {
    throw new GuestError(`${name} did not power off by itself, so its disk may not be whole`, {
      hint: `vm up ${name} to see to it; or vm package again, to take the disk as it is`,
    });
  }
  const finish = { target, services };
  // Awaited here: the lock is given up at the end of this function.
  return await (request.asIs ? packageAsIs(machine, finish) : packageCopy(machine, finish));
}

/** A machine that is to be packaged. */
interface Machine {
  readonly original: RecordedMachine;
  readonly box: Box | undefined;
  readonly spec: MachineSpec;
}

interface Finish {
  readonly target: PackageTarget;
  readonly services: Services;
}

async function checkPlace(path: string): Promise<void> {
  if ((await kindOfPath(path)) !== undefined) {
    throw new UsageError(`${path} exists already`, { hint: 'remove it, or choose another name with --output' });
  }
  if ((await kindOfPath(dirname(path))) !== 'folder') throw new UsageError(`${dirname(path)} is no folder`);
}

function specOf(project: Project, name: string): MachineSpec {
  const spec = requireSpec(project).machines.find((machine) => machine.name === name);
  if (spec !== undefined) return spec;
  throw new VmError(`${name} is not in the Machinefile any more`, { hint: 'put it back to package it' });
}

function checkPossible({ box, spec: { name } }: Machine, target: PackageTarget, asIs: boolean): void {
  if (target.kind === 'file' && box?.kernel !== undefined) {
    throw new VmError(`the box ${box.name} of ${name} has its kernel beside its disk, so that only vm can start it`, {
      hint: 'vm package --name makes a box of it for vm, and vm box push shares that',
    });
  }
  if (target.kind === 'file') checkDiskCount(target.format, 1 + (box?.extraDisks.length ?? 0));
  if (target.kind === 'store' && asIs && box?.seed === 'vagrant') {
    throw new VmError(
      `the guest of ${name} lets in nobody but ${name}'s own key, so no machine of its box could be entered`,
      {
        hint: 'leave --as-is away',
      },
    );
  }
  if (box !== undefined) return;
  if (target.kind === 'store') {
    throw new VmError(
      `${name} was installed by hand, so it is not known how a machine of its box would get its identity`,
      {
        hint: 'package it to a file with --output and --as-is, and use that as the box: what holds for images holds for it',
      },
    );
  }
  if (!asIs) {
    throw new VmError(`${name} was installed by hand, so vm cannot log in to remove what is its own`, {
      hint: 'remove it yourself, then package it with --as-is',
    });
  }
}

async function checkStartable(machine: RecordedMachine, { providers }: Services): Promise<void> {
  const { provider, machine: name } = machine.record;
  const observed = await providers[provider].state(machine);
  if (observed.kind === 'broken') throw new StateError(`${name} cannot be packaged: ${observed.reason}`);
  if (observed.kind === 'suspended' || observed.kind === 'restoring') {
    throw new StateError(`${name} is suspended: its disk is whole only together with what was in its memory`, {
      hint: `vm resume ${name}, and package it then; or vm halt ${name}, which discards its memory`,
    });
  }
  if (observed.kind === 'paused') {
    throw new StateError(`${name} is paused: ${observed.reason}`, { hint: `vm up ${name} lets it run on` });
  }
}

/** What `disks` and `volumes` ask for comes from the Machinefile of whoever uses the box. */
function reportLeftOut(record: MachineRecord, { reporter }: Services): void {
  const { machine, disks = [] } = record;
  const namesOf = (named: readonly { readonly name: string }[]) => named.map(({ name }) => name).join(', ');
  const volumes = startedVolumes(record);
  const left = [
    ...(disks.length === 0 ? [] : [`its own disks (${namesOf(disks)})`]),
    ...(volumes.length === 0 ? [] : [`its volumes (${namesOf(volumes)})`]),
  ];
  if (left.length === 0) return;
  reporter.report({
    type: 'message',
    level: 'warning',
    subject: machine,
    text: `what is on ${left.join(' and ')} is not packaged; what is packaged must boot without them`,
  });
}

async function packageAsIs(machine: Machine, finish: Finish): Promise<Packaged> {
  const { original, box } = machine;
  return write(
    machine,
    { disks: await disksOf(original.layout, box), seed: box?.seed ?? 'vagrant', isCopy: false },
    finish,
  );
}

/** Lets a copy of the machine boot, removes there what is its own, and packages that. */
async function packageCopy(machine: Machine, finish: Finish): Promise<Packaged> {
  const { target, services } = finish;
  const { original, box } = machine;
  if (box === undefined) throw new Error('checked before: only machines with a box are copied');
  const [root, ...extraDisks] = await disksOf(original.layout, box);
  const copied: Box = { ...box, diskPath: root.path, virtualSizeBytes: root.virtualSizeBytes, extraDisks };
  const spec = { ...workshopSpec(machine.spec), diskBytes: root.virtualSizeBytes };
  const seed = target.kind === 'file' && target.format === 'box' ? 'vagrant' : box.seed;
  await using workshop = await openWorkshop(spec, services);
  const { project } = workshop;
  const copy = { spec, box: copied, projectName: spec.name, network: NO_NETWORK };
  await createMachine(project, { ...copy, original }, services);
  await upMachine(
    project,
    { ...copy, name: spec.name },
    { options: { provision: { kind: 'none' }, recreate: false, layers: 'off' }, services },
  ).catch((error: unknown) => {
    throw withWayOn(error, `${spec.name} itself is as it was; --as-is packages it without booting a copy`);
  });
  await generalise(project, spec.name, seed, services);
  const disks = await disksOf(project.states.layout(spec.name), box);
  // Awaited here: at the end of this function the workshop is cleared.
  return await write(machine, { disks, seed, isCopy: true }, finish);
}

async function write(
  { original, box, spec }: Machine,
  { disks, seed, isCopy }: { readonly disks: MachineDisks; readonly seed: SeedKind; readonly isCopy: boolean },
  { target, services }: Finish,
): Promise<Packaged> {
  const { name: machine, cpus, memoryBytes } = spec;
  const tools = { context: services, subject: machine };
  return inPhase(services, machine, 'package', async (): Promise<Packaged> => {
    if (target.kind === 'store') {
      if (box === undefined) throw new Error('checked before: only a machine with a box goes to the store');
      await using work = await services.boxes.stage();
      if (isCopy) await standOnBox(disks, box, tools);
      const { layer, unfinishedLayer, snapshot } = original.record;
      const standsOnOthers = !isCopy && (layer ?? unfinishedLayer ?? snapshot) !== undefined;
      const own = standsOnOthers ? await overlaysOnBox(disks, box, { dir: work.dir, tools }) : disks;
      const { name, version } = target;
      const facts = {
        name,
        version,
        arch: spec.arch,
        seed,
        user: box.user,
        fingerprint: undefined,
        source: `packaged from the machine ${machine}`,
      };
      const captured = await captureBox({ disks: own, parent: box, facts, subject: machine }, services);
      return { machine, result: { kind: 'store', box: captured } };
    }
    await using work = await services.boxes.stage();
    const { format, path } = target;
    const appliance = { name: machine, cpus, memoryBytes, disks };
    await writePackage({ ...appliance, format, destPath: path, workDir: work.dir }, tools);
    return { machine, result: { kind: 'file', path } };
  });
}
