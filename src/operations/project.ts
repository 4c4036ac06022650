import { UsageError, VmError } from '../errors.ts';
import type { MachineLayout } from '../machine/layout.ts';
import type { MachineRecord } from '../machine/record.ts';
import type { StateStore } from '../machine/state-store.ts';
import type { MachineSpec, ProjectSpec } from '../machinefile/spec.ts';

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
    exists: existing.has(spec.name),
    isActive: isActive(spec, project.activeProfiles),
  }));
  const orphans = [...existing]
    .filter((name) => !specs.some((spec) => spec.name === name))
    .map((name) => ({ name, spec: undefined, exists: true, isActive: true }));
  return [...declared, ...orphans];
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
  return orMachinefileError(project, () => selectTargets(targets, patterns));
}

/**
 * The one machine meant: the named one, else the primary, else the only one.
 * @throws UsageError when that leaves a choice; the Machinefile's own error, where that may be why.
 */
export async function findTarget(project: Project, name: string | undefined): Promise<Target> {
  const targets = await listTargets(project);
  return orMachinefileError(project, () => selectOne(targets, name));
}

/** A machine that is not found may be in the Machinefile that cannot be read. */
function orMachinefileError<T>({ spec }: Project, select: () => T): T {
  try {
    return select();
  } catch (error) {
    throw error instanceof UsageError && spec instanceof VmError ? spec : error;
  }
}

/**
 * The targets that the patterns select: a name any, a glob (with `*` and `?`) those that take part, or exist all the
 * same, so that none is left running unnoticed. Without patterns all of these.
 * @throws UsageError for a pattern that matches nothing.
 */
export function selectTargets(targets: readonly Target[], patterns: readonly string[]): Target[] {
  const isCandidate = ({ exists, isActive }: Target) => exists || isActive;
  if (patterns.length === 0) return targets.filter(isCandidate);
  const selectors = patterns.map((pattern) => {
    const matcher = compilePattern(pattern);
    return (target: Target) => target.name === pattern || (isCandidate(target) && matcher.test(target.name));
  });
  const unmatched = patterns.find((_, index) => !targets.some((target) => selectors[index]?.(target)));
  if (unmatched !== undefined) {
    const names = targets.map(({ name }) => name).join(', ');
    throw new UsageError(`no machine is called ${unmatched}`, {
      hint: names === '' ? 'this project has no machines' : `machines of this project: ${names}`,
    });
  }
  return targets.filter((target) => selectors.some((selects) => selects(target)));
}

function compilePattern(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`);
}

/**
 * The one machine meant: the named one, else the primary, else the only one.
 * @throws UsageError when that leaves a choice.
 */
export function selectOne(targets: readonly Target[], name: string | undefined): Target {
  const candidates = name === undefined ? preferPrimary(selectTargets(targets, [])) : selectTargets(targets, [name]);
  const [first, second] = candidates;
  if (first !== undefined && second === undefined) return first;
  if (first === undefined)
    throw new UsageError('this project has no machines', { hint: 'vm init writes a Machinefile' });
  throw new UsageError(`which machine? ${candidates.map((target) => target.name).join(', ')}`, {
    hint: 'name one, or set primary: true on one of them',
  });
}

function preferPrimary(targets: readonly Target[]): readonly Target[] {
  const primary = targets.filter(({ spec }) => spec?.primary);
  return primary.length > 0 ? primary : targets;
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
