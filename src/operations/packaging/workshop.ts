import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GuestError, StateError } from '../../errors.ts';
import { unlessMissing } from '../../host/files.ts';
import { isMakerAlive, nameOfMaker } from '../../host/maker.ts';
import { StateStore } from '../../machine/state-store.ts';
import type { MachineSpec } from '../../machinefile/spec.ts';
import { destroyMachine } from '../destroy-machine.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { workshopsDir } from './workshops-dir.ts';

/** A project for one machine that a box is made in. Disposing it removes both, whatever state they are in. */
export interface Workshop extends AsyncDisposable {
  readonly project: Project;
}

/** Opens a workshop below VM_HOME. What processes that were killed left in theirs is removed. */
export async function openWorkshop(spec: MachineSpec, services: Services): Promise<Workshop> {
  await clearAbandonedWorkshops(services);
  const projectDir = join(workshopsDir(services.dirs), nameOfMaker());
  const project: Project = {
    projectDir,
    states: new StateStore(projectDir),
    spec: { name: spec.name, projectDir, machines: [spec], groups: [], networks: [], volumes: [] },
    activeProfiles: [],
  };
  return { project, [Symbol.asyncDispose]: () => clear(project, services) };
}

/** Removes the machines that killed processes left in their workshops. */
export async function clearAbandonedWorkshops(services: Services): Promise<void> {
  const dir = workshopsDir(services.dirs);
  for (const name of (await unlessMissing(readdir(dir))) ?? []) {
    if (isMakerAlive(name)) continue;
    const projectDir = join(dir, name);
    const spec = new StateError('the process that worked here was killed');
    await clear({ projectDir, states: new StateStore(projectDir), spec, activeProfiles: [] }, services);
  }
}

/** Not to be interrupted: no machine may be left running that nobody knows of. */
async function clear(project: Project, services: Services): Promise<void> {
  const uninterrupted = { ...services, signal: new AbortController().signal };
  for (const name of await project.states.list()) {
    await destroyMachine(project, name, uninterrupted).catch((error: unknown) => {
      // Damaged, and unknown to the index: it was never started.
      if (!(error instanceof StateError)) throw error;
    });
  }
  await rm(project.projectDir, { recursive: true, force: true });
}

/**
 * The machine with nothing of its project: only what it takes to run it and to log in. Arguments for QEMU may give it
 * disks and folders of the host, which must not be changed here. Where there was a screen there is one, because guests
 * may name their devices by their places on the bus.
 */
export function workshopSpec(spec: MachineSpec): MachineSpec {
  return {
    ...spec,
    replica: undefined,
    disks: [],
    volumes: [],
    cdromPath: undefined,
    boot: ['disk'],
    display: spec.display === 'none' ? 'none' : 'vnc',
    ports: [],
    sync: [],
    environment: {},
    provision: [],
    ssh: { ...spec.ssh, port: undefined },
    cloudInit: { userData: undefined, networkConfig: undefined },
    dependsOn: [],
    healthcheck: undefined,
    profiles: [],
    hooks: {},
    qemuArgs: [],
    message: undefined,
  };
}

/** An error of a guest with another way on: its machine is removed, so that it cannot be looked at, nor gone on with. */
export function withWayOn(error: unknown, hint: string): unknown {
  if (!(error instanceof GuestError)) return error;
  const { message, exitCode } = error;
  return new GuestError(message, { hint, exitCode, cause: error });
}
