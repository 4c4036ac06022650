import { loginCommand, opensshHostBlock } from '../communicators/openssh.ts';
import type { HostCommand } from '../host/exec.ts';
import { opensshMachine, opensshTarget, requireRunning } from './guest.ts';
import { findTarget, type Project, requireMachine } from './project.ts';
import type { Services } from './services.ts';

/** The command that logs in to a running machine; what follows it goes to the system's ssh. */
export async function loginTo(
  project: Project,
  { name, args }: { readonly name: string | undefined; readonly args: readonly string[] },
  services: Services,
): Promise<HostCommand> {
  const target = await findTarget(project, name);
  return loginCommand(await opensshTarget(await requireRunning(project, target.name, services)), args);
}

/** A block for ~/.ssh/config. @throws VmError where the machine does not exist. */
export async function sshConfigBlock(project: Project, name: string | undefined): Promise<string> {
  const target = await findTarget(project, name);
  const { record, layout } = await requireMachine(project, target.name);
  return opensshHostBlock(opensshMachine(record, layout.machineDir));
}
