import { haltMachine } from './halt.ts';
import { lockMachine } from './machine-lock.ts';
import { forEachParallel } from './parallel.ts';
import { type Project, requireMachine } from './project.ts';
import type { Services } from './services.ts';
import type { UpOutcome } from './up/machine.ts';
import { selectSpecs, type UpRequest, up } from './up/up.ts';

/**
 * Stops and starts the selected machines, so that every setting of the Machinefile takes effect.
 * @throws VmError if one of them does not exist: nothing is stopped then.
 */
export async function reload(
  project: Project,
  request: UpRequest & { readonly force: boolean },
  services: Services,
): Promise<UpOutcome[]> {
  const specs = await selectSpecs(project, request.patterns);
  for (const { name } of specs) await requireMachine(project, name);
  await forEachParallel(specs, request.parallel, async ({ name }) => {
    await using _lock = await lockMachine(project, { name, purpose: 'vm reload' }, services);
    await haltMachine(project, name, { force: request.force, services });
  });
  return up(project, request, services);
}
