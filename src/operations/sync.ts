import { inPhase } from '../context.ts';
import { runtimeLayout } from '../machine/layout.ts';
import type { MachineSpec } from '../machinefile/spec.ts';
import type { RecordedMachine } from '../providers/provider.ts';
import { syncFolder } from '../synced-folders/index.ts';
import { requireRunning, writeSshConfig } from './guest.ts';
import { forEachParallel } from './parallel.ts';
import { findTargets, type Project, requireSpec } from './project.ts';
import { isNamed } from './select-targets.ts';
import type { Services } from './services.ts';

/** Brings every synced folder of a running machine up to date. */
export async function syncMachine(spec: MachineSpec, machine: RecordedMachine, services: Services): Promise<void> {
  if (spec.sync.length === 0) return;
  const target = {
    machine: spec.name,
    user: machine.record.ssh.user,
    sshConfigPath: runtimeLayout(machine.record.runtimeDir).sshConfigPath,
    sshAlias: spec.name,
  };
  for (const folder of spec.sync) {
    await inPhase(services, spec.name, `sync ${folder.guestPath}`, () => syncFolder(folder, target, services));
  }
}

/** `vm sync`: syncs the folders of the selected machines again. Returns the names of those that have any. */
export async function sync(project: Project, patterns: readonly string[], services: Services): Promise<string[]> {
  requireSpec(project);
  const targets = await findTargets(project, patterns);
  const meant = targets.filter((target) => target.isActive || isNamed(target, patterns));
  const withFolders = meant.flatMap(({ spec }) => (spec !== undefined && spec.sync.length > 0 ? [spec] : []));
  await forEachParallel(withFolders, withFolders.length, async (spec) => {
    const machine = await requireRunning(project, spec.name, services);
    await writeSshConfig(machine);
    await syncMachine(spec, machine, services);
  });
  return withFolders.map(({ name }) => name);
}
