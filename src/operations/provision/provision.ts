import { LazyGuest, requireRunning } from '../guest.ts';
import { lockMachine } from '../machine-lock.ts';
import { forEachParallel } from '../parallel.ts';
import { type Project, requireMachine } from '../project.ts';
import type { Services } from '../services.ts';
import { selectSpecs } from '../up/up.ts';
import { meterRun } from '../usage/metering.ts';
import { checkNamedSteps, type ProvisionChoice } from './choice.ts';
import { applyEnvironment } from './environment.ts';
import { prepareSteps } from './ready-step.ts';
import { provisionMachine } from './steps.ts';

export interface ProvisionOutcome {
  readonly machine: string;
  readonly stepsRun: readonly string[];
}

/** `vm provision`: runs steps of running machines again. */
export async function provision(
  project: Project,
  request: { readonly patterns: readonly string[]; readonly choice: ProvisionChoice },
  services: Services,
): Promise<ProvisionOutcome[]> {
  const specs = await selectSpecs(project, request.patterns);
  checkNamedSteps(
    request.choice,
    specs.flatMap((spec) => spec.provision),
  );
  return forEachParallel(specs, specs.length, async (spec) => {
    await requireMachine(project, spec.name);
    await using _lock = await lockMachine(project, { name: spec.name, purpose: 'vm provision' }, services);
    const machine = await requireRunning(project, spec.name, services);
    // All are read before the first runs: a missing script stops here, not half-way.
    const prepared = await prepareSteps(spec);
    await using guest = new LazyGuest(machine, services);
    const record = await applyEnvironment(project, { spec, record: machine.record, guest }, services);
    const work = { choice: request.choice, prepared, services };
    const { stepsRun } = await provisionMachine(project, { spec, record, guest }, work);
    await meterRun(project, machine, { services, guest });
    return { machine: spec.name, stepsRun };
  });
}
