import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { MachinefileError, type Problem, StateError, UsageError, VmError } from '../errors.ts';
import { projectLayout } from '../machine/layout.ts';
import type { RunStore } from '../machine/run-store.ts';
import { StateStore } from '../machine/state-store.ts';
import { type Clones, isDeclared, withClones } from '../machinefile/clones.ts';
import { findMachinefiles } from '../machinefile/find.ts';
import { type LoadInput, loadProject } from '../machinefile/load.ts';
import { replicaCounter, type WantedReplicas } from '../machinefile/replicas.ts';
import type { ProjectSpec } from '../machinefile/spec.ts';
import { alternatives } from '../machinefile/suggest.ts';
import { namesOfMachines, type Project } from './project.ts';

export interface OpenedProject {
  readonly project: Project;
  readonly warnings: readonly Problem[];
}

export interface OpenInput extends Omit<LoadInput, 'countReplicas'> {
  /** The active ones. */
  readonly profiles: readonly string[];
  /** Whether hooks are run. */
  readonly runsHooks: boolean;
  /** Numbers of replicas to open the project with, whatever the Machinefile and `vm scale` have said. Default: none. */
  readonly wanted?: WantedReplicas;
}

/**
 * Opens the project here. Machines that exist can be worked with also when the Machinefile is broken, or gone and
 * only `.vm` is left.
 * @throws UsageError where there is neither, and for a profile that no machine has.
 */
export async function openProject(input: OpenInput): Promise<OpenedProject> {
  const found = await findMachinefiles(input);
  const projectDir = found?.projectDir ?? findStateDir(resolve(input.cwd));
  if (projectDir === undefined) {
    throw new UsageError(`no Machinefile in ${input.cwd} or above`, {
      hint: 'run `vm init` to write one, or give one with -f',
    });
  }
  const states = new StateStore(projectDir);
  const { spec, warnings } = await loadSpec(input, states);
  if (!(spec instanceof VmError)) checkProfiles(input.profiles, spec);
  return { project: { projectDir, states, spec, activeProfiles: input.profiles }, warnings };
}

/** Where the runs of `vm run` are, and which names a command was given: of machines, but also other arguments. */
export interface NamedRuns {
  readonly runs: RunStore;
  readonly names: readonly string[];
}

/**
 * Opens the project here, or that of a run, where a run is named and no machine here is called so. The project here comes
 * first, also where its Machinefile cannot be read, and where it is named by -f or VM_FILE: it is what its user means.
 * @throws UsageError where several projects are meant, or none is.
 */
export async function openProjectOrRun(input: OpenInput, { runs, names }: NamedRuns): Promise<OpenedProject> {
  const known = await runs.among(names);
  if (known.length === 0 || input.files.length > 0 || input.env.VM_FILE) return openProject(input);
  const here = (await isProjectHere(input)) ? await openProject(input) : undefined;
  if (here?.project.spec instanceof VmError) return here;
  const own = here === undefined ? [] : await namesOfMachines(here.project);
  const [run, ...others] = known.filter((name) => !own.includes(name));
  if (run === undefined) return here ?? openProject(input);
  if (others.length > 0 || names.some((name) => own.includes(name))) {
    const several = [...names.filter((name) => own.includes(name)), run, ...others].join(', ');
    throw new UsageError(`${several} are of several projects: each run is one`, { hint: 'name one of them at a time' });
  }
  return openRun(input, runs, run);
}

/** Opens the project of a run, which has no profiles. */
export function openRun(input: OpenInput, runs: RunStore, name: string): Promise<OpenedProject> {
  return openProject({ ...input, cwd: runs.dirOf(name), files: [runs.machinefileOf(name)], profiles: [] });
}

async function isProjectHere(input: OpenInput): Promise<boolean> {
  return (await findMachinefiles(input)) !== undefined || findStateDir(resolve(input.cwd)) !== undefined;
}

async function loadSpec(
  input: OpenInput,
  states: StateStore,
): Promise<{ spec: Project['spec']; warnings: readonly Problem[] }> {
  try {
    const countReplicas = replicaCounter(await states.readScale(), input.wanted ?? new Map());
    const { project, warnings } = await loadProject({ ...input, countReplicas });
    const all = withClones(project, await recordedClones(project, states));
    return { spec: input.runsHooks ? all : withoutHooks(all), warnings };
  } catch (error) {
    const isExpected = [MachinefileError, UsageError, StateError].some((kind) => error instanceof kind);
    if (!(isExpected && error instanceof VmError)) throw error;
    return { spec: error, warnings: [] };
  }
}

/**
 * Only what the Machinefile does not name can be one: most projects have no such machine, and nothing is read. A damaged
 * record tells of none: its machine is as one that has left the Machinefile.
 */
async function recordedClones(project: ProjectSpec, states: StateStore): Promise<Clones> {
  const others = (await states.list()).filter((name) => !isDeclared(name, project));
  const records = await Promise.all(others.map((name) => states.readIfWhole(name)));
  return new Map(
    records.flatMap((record): [string, string][] =>
      record?.cloneOf === undefined ? [] : [[record.machine, record.cloneOf]],
    ),
  );
}

function withoutHooks(project: ProjectSpec): ProjectSpec {
  return {
    ...project,
    machines: project.machines.map((machine) => ({ ...machine, hooks: {} })),
    groups: project.groups.map((group) => ({ ...group, template: { ...group.template, hooks: {} } })),
  };
}

/** @throws UsageError for a profile that no machine has. */
export function checkProfiles(profiles: readonly string[], { machines, groups }: ProjectSpec): void {
  const declared = [...machines, ...groups.map(({ template }) => template)];
  const known = [...new Set(declared.flatMap((machine) => machine.profiles))];
  const unknown = profiles.find((profile) => !known.includes(profile));
  if (unknown === undefined) return;
  throw new UsageError(`no machine has the profile “${unknown}”${alternatives(unknown, known)}`, {
    hint: 'profiles are chosen by --profile and the variable VM_PROFILES',
  });
}

/** The nearest folder at or above `dir` that holds machines, or volumes. */
function findStateDir(dir: string): string | undefined {
  const { machinesDir, volumesDir } = projectLayout(dir);
  if (existsSync(machinesDir) || existsSync(volumesDir)) return dir;
  const parent = dirname(dir);
  return parent === dir ? undefined : findStateDir(parent);
}
