import type { PortForward } from '../machine/record.ts';
import { listTargets, type Project, requireMachine, selectOne } from './project.ts';

/** The forwarded ports of one machine, SSH's first. */
export async function ports(project: Project, name: string | undefined): Promise<readonly PortForward[]> {
  const target = selectOne(await listTargets(project), name);
  return (await requireMachine(project, target.name)).record.forwards;
}
