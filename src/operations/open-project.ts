import { access } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { MachinefileError, type Problem, UsageError } from '../errors.ts';
import { projectLayout } from '../machine/layout.ts';
import { StateStore } from '../machine/state-store.ts';
import { findMachinefiles } from '../machinefile/find.ts';
import { type LoadInput, loadProject } from '../machinefile/load.ts';
import type { Project } from './project.ts';

export interface OpenedProject {
  readonly project: Project;
  readonly warnings: readonly Problem[];
}

/**
 * Opens the project here. Machines that exist can be worked with also when the Machinefile is broken, or gone and
 * only `.vm` is left.
 * @throws UsageError where there is neither.
 */
export async function openProject(input: LoadInput): Promise<OpenedProject> {
  const found = await findMachinefiles(input);
  const projectDir = found?.projectDir ?? (await findStateDir(resolve(input.cwd)));
  if (projectDir === undefined) {
    throw new UsageError(`no Machinefile in ${input.cwd} or above`, {
      hint: 'run `vm init` to write one, or give one with -f',
    });
  }
  const states = new StateStore(projectDir);
  try {
    const { project: spec, warnings } = await loadProject(input);
    return { project: { projectDir, states, spec }, warnings };
  } catch (error) {
    if (!(error instanceof MachinefileError || error instanceof UsageError)) throw error;
    return { project: { projectDir, states, spec: error }, warnings: [] };
  }
}

/** The nearest folder at or above `dir` that holds machines. */
async function findStateDir(dir: string): Promise<string | undefined> {
  const hasMachines = await access(projectLayout(dir).machinesDir).then(
    () => true,
    () => false,
  );
  if (hasMachines) return dir;
  const parent = dirname(dir);
  return parent === dir ? undefined : findStateDir(parent);
}
