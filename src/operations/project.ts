import { UsageError, VmError } from '../errors.ts';
import type { MachineLayout } from '../machine/layout.ts';
import type { MachineRecord } from '../machine/record.ts';
import type { StateStore } from '../machine/state-store.ts';
import { replicaNumber } from '../machinefile/replicas.ts';
import { replicaOf } from '../machinefile/resolving/expand-replicas.ts';
import type { MachineSpec, ProjectSpec, ReplicaGroup, ReplicaSpec } from '../machinefile/spec.ts';
import { selectOne, selectTargets } from './select-targets.ts';

/** A project as found on disk. Its Machinefile may be broken or gone while its machines live on. */
export interface Project {
  readonly projectDir: string;
  readonly states: StateStore;
  /** What the Machinefile says, or why it cannot be read. */
  readonly spec: ProjectSpec | VmError;
  /** Those whose machines take part without being named. */
  readonly activeProfiles: readonly string[];
}

/** @throws the Machinefile's own error, for operations that cannot do without it. */
export function requireSpec({ spec }: Project): ProjectSpec {
  if (spec instanceof VmError) throw spec;
  return spec;
}

/** A machine that is in the Machinefile, or exists, or both. */
export interface Target {
  readonly name: string;
  readonly spec: MachineSpec | undefined;
  /** Which replica it is, or was while it was in the Machinefile. */
  readonly replica: ReplicaSpec | undefined;
  readonly exists: boolean;
  /** Whether it takes part without being named: it has no profiles, or one of them is active. */
  readonly isActive: boolean;
}

/** Every machine of the project: those of the Machinefile in its order, then those that only exist. */
export async function listTargets(project: Project): Promise<Target[]> {
  const existing = new Set(await project.states.list());
  const specs = project.spec instanceof VmError ? [] : project.spec.machines;
  const declared = specs.map((spec) => ({
    name: spec.name,
    spec,
    replica: spec.replica,
    exists: existing.has(spec.name),
    isActive: isActive(spec, project.activeProfiles),
  }));
  const orphans = [...existing]
    .filter((name) => !specs.some((spec) => spec.name === name))
    .map(async (name) => {
      const replica = await recordedReplica(project, name);
      return { name, spec: undefined, replica, exists: true, isActive: true };
    });
  return [...declared, ...(await Promise.all(orphans))];
}

/** Which replica a machine that exists was made as. Where its record is damaged its name tells. */
async function recordedReplica(project: Project, name: string): Promise<ReplicaSpec | undefined> {
  const record = await project.states.readIfWhole(name);
  if (record !== undefined) return record.replica;
  const replicas = groupNames(project).map((of) => ({ of, number: replicaNumber(name, of) }));
  return replicas.flatMap(({ of, number }) => (number === undefined ? [] : { of, number }))[0];
}

/** The machines of the Machinefile that have `replicas`; none where it cannot be read. */
function groupsOf({ spec }: Project): readonly ReplicaGroup[] {
  return spec instanceof VmError ? [] : spec.groups;
}

/**
 * What the Machinefile says of a machine. A replica beyond the number that there are to be is what it would be among
 * them: what is to be done before it is destroyed, say, must not be forgotten because fewer are wanted.
 */
export async function findSpec(project: Project, name: string): Promise<MachineSpec | undefined> {
  const specs = project.spec instanceof VmError ? [] : project.spec.machines;
  const spec = specs.find((machine) => machine.name === name);
  if (spec !== undefined || groupsOf(project).length === 0) return spec;
  const replica = await recordedReplica(project, name);
  const group = groupsOf(project).find(({ template }) => template.name === replica?.of);
  return group && replica && replicaOf(group, replica.number);
}

function isActive({ profiles }: MachineSpec, activeProfiles: readonly string[]): boolean {
  return profiles.length === 0 || profiles.some((profile) => activeProfiles.includes(profile));
}

/**
 * The machines that the patterns select; without patterns all that take part or exist.
 * @throws UsageError for a pattern that matches nothing; the Machinefile's own error, where that may be why.
 */
export async function findTargets(project: Project, patterns: readonly string[]): Promise<Target[]> {
  const targets = await listTargets(project);
  return orMachinefileError(project, () => selectTargets(targets, patterns, groupNames(project)));
}

/**
 * The one machine meant: the named one, else the primary, else the only one.
 * @throws UsageError when that leaves a choice; the Machinefile's own error, where that may be why.
 */
export async function findTarget(project: Project, name: string | undefined): Promise<Target> {
  const targets = await listTargets(project);
  return orMachinefileError(project, () => selectOne(targets, name, groupNames(project)));
}

export function groupNames(project: Project): string[] {
  return groupsOf(project).map(({ template }) => template.name);
}

/** Every name of a machine of the project: also those that mean all replicas of one. */
export async function namesOfMachines(project: Project): Promise<string[]> {
  const targets = await listTargets(project);
  const ofReplicas = targets.flatMap(({ replica }) => replica?.of ?? []);
  return [...new Set([...groupNames(project), ...ofReplicas, ...targets.map(({ name }) => name)])];
}

/** A machine that is not found may be in the Machinefile that cannot be read. */
function orMachinefileError<T>({ spec }: Project, select: () => T): T {
  try {
    return select();
  } catch (error) {
    throw error instanceof UsageError && spec instanceof VmError ? spec : error;
  }
}

/** A machine that exists: its record and where its files are. */
export interface ExistingMachine {
  readonly record: MachineRecord;
  readonly layout: MachineLayout;
}

/** @throws VmError with the way to create it, where it does not exist. */
export async function requireMachine(project: Project, name: string): Promise<ExistingMachine> {
  const record = await project.states.read(name);
  if (record === undefined) throw new VmError(`${name} is not created`, { hint: `vm up ${name} creates it` });
  return { record, layout: project.states.layout(name) };
}
