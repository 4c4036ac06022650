import { haltMachine } from './halt.ts';
import { lockMachine } from './machine-lock.ts';
import { inReverse } from './order/graph.ts';
import { runInOrder } from './order/run-in-order.ts';
import { type Project, requireMachine } from './project.ts';
import type { Services } from './services.ts';
import type { UpOutcome } from './up/machine.ts';
import { selectSpecs, type UpRequest, up } from './up/up.ts';

/**
 * Stops and starts the selected machines in their order, so that every setting of the Machinefile takes effect. Others,
 * also those that they depend on, stay as they are.
 * @throws VmError if one of them does not exist: nothing is stopped then.
 */
export async function reload(
  project: Project,
  request: Omit<UpRequest, 'withDependencies'> & { readonly force: boolean },
  services: Services,
): Promise<UpOutcome[]> {
  const specs = await selectSpecs(project, request.patterns);
  for (const { name } of specs) await requireMachine(project, name);
  await runInOrder(inReverse(specs), { limit: specs.length }, async ({ name }) => {
    await using _lock = await lockMachine(project, { name, purpose: 'vm reload' }, services);
    await haltMachine(project, name, { force: request.force, services });
  });
  return up(project, { ...request, withDependencies: false }, services);
}
