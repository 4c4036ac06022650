import type { PortForward } from '../../machine/record.ts';
import { findTarget, type Project, requireMachine } from '../project.ts';

/** The forwarded ports of one machine, SSH's first. */
export async function listPorts(project: Project, name: string | undefined): Promise<readonly PortForward[]> {
  const target = await findTarget(project, name);
  return (await requireMachine(project, target.name)).record.forwards;
}
