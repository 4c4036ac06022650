import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { MachinefileError, type Problem, StateError, UsageError, VmError } from '../errors.ts';
import { projectLayout } from '../machine/layout.ts';
import { StateStore } from '../machine/state-store.ts';
import { findMachinefiles } from '../machinefile/find.ts';
import { type LoadInput, loadProject } from '../machinefile/load.ts';
import { replicaCounter, type WantedReplicas } from '../machinefile/replicas.ts';
import type { ProjectSpec } from '../machinefile/spec.ts';
import { alternatives } from '../machinefile/suggest.ts';
import type { Project } from './project.ts';

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

async function loadSpec(
  input: OpenInput,
  states: StateStore,
): Promise<{ spec: Project['spec']; warnings: readonly Problem[] }> {
  try {
    const countReplicas = replicaCounter(await states.readScale(), input.wanted ?? new Map());
    const { project, warnings } = await loadProject({ ...input, countReplicas });
    return { spec: input.runsHooks ? project : withoutHooks(project), warnings };
  } catch (error) {
    const isExpected = [MachinefileError, UsageError, StateError].some((kind) => error instanceof kind);
    if (!(isExpected && error instanceof VmError)) throw error;
    return { spec: error, warnings: [] };
  }
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
