import { quoteForShell } from '../../communicators/quoting.ts';
import { InterruptedError } from '../../errors.ts';
import { planDestroy } from '../../operations/destroy.ts';
import type { Project } from '../../operations/project.ts';
import { status } from '../../operations/status.ts';
import { dryRun } from '../../operations/up/dry-run.ts';
import type { UpOutcome } from '../../operations/up/machine.ts';
import { selectSpecs, up } from '../../operations/up/up.ts';
import type { CommandDefinition, Invocation } from '../command.ts';
import { phaseDocument, upDocument } from '../documents.ts';
import { formatSeconds, type TimedPhase, timingReporter } from '../reporters.ts';
import { noHooksOption } from './project-options.ts';
import {
  lockedOption,
  lockMode,
  noDepsOption,
  parallelism,
  parallelOption,
  provisionChoice,
  provisionOptions,
} from './up-options.ts';

export const upCommand: CommandDefinition = {
  name: 'up',
  args: '[machines...]',
  summary: 'create, start, sync and provision machines: only what is missing',
  group: 'Machines',
  example: 'vm up web --timings',
  completes: 'machines',
  options: [
    ...provisionOptions,
    parallelOption,
    noDepsOption,
    { flags: '--wait', description: 'wait until every machine with a healthcheck is healthy' },
    lockedOption,
    noHooksOption,
    { flags: '--recreate', description: 'destroy first; what is on the disks is lost' },
    {
      flags: '--no-cache',
      description: 'begin a new machine with its box, and run every step, whatever was kept of others',
    },
    { flags: '--timings', description: 'print where the time went' },
    {
      flags: '--dry-run',
      description: 'print the commands it would run, ready to paste; only a box that is missing is got',
    },
  ],
  emitsEvents: ({ dryRun }) => !dryRun,
  run: (invocation) => (invocation.options.dryRun ? printDryRun(invocation) : runUp(invocation)),
};

async function printDryRun({ openProject, args, options, services, output, globals }: Invocation): Promise<number> {
  const request = { patterns: args, withDependencies: options.deps !== false };
  const machines = await dryRun(await openProject(), request, services);
  if (globals.json) {
    output.json(machines);
    return 0;
  }
  for (const { machine, commands } of machines) {
    output.text(`# ${machine}`);
    for (const { file, args } of commands) output.text([file, ...args].map(quoteForShell).join(' '));
  }
  return 0;
}

async function runUp(invocation: Invocation): Promise<number> {
  const { openProject, args, options, globals } = invocation;
  const project = await openProject();
  const timings = timingReporter(invocation.services.reporter);
  const services = { ...invocation.services, reporter: timings };
  if (options.recreate && !(await confirmRecreate(invocation, project))) return 1;
  const request = {
    patterns: args,
    lock: lockMode(options),
    withDependencies: options.deps !== false,
    options: {
      provision: provisionChoice(options),
      recreate: options.recreate === true,
      awaitsHealth: options.wait === true,
      layers: options.cache === false ? ('renew' as const) : ('use' as const),
    },
    parallel: parallelism(options),
  };
  try {
    const outcomes = await up(project, request, services);
    if (globals.json) invocation.output.json({ type: 'result', machines: outcomes.map(upDocument) });
    else printOutcomes(invocation, project, outcomes);
    return 0;
  } catch (error) {
    throw error instanceof InterruptedError ? await explainInterruption(error, project, invocation) : error;
  } finally {
    if (options.timings) printTimings(invocation, timings.phases);
  }
}

async function confirmRecreate({ args, confirm }: Invocation, project: Project): Promise<boolean> {
  const meant = await selectSpecs(project, args);
  const { machines: existing } = await planDestroy(project, args);
  const names = existing.filter((existingName) => meant.some(({ name }) => name === existingName));
  return (
    names.length === 0 || confirm(`Destroy ${names.join(', ')} and make ${names.length === 1 ? 'it' : 'them'} anew?`)
  );
}

export function printOutcomes({ output, globals }: Invocation, project: Project, outcomes: readonly UpOutcome[]): void {
  if (globals.quiet) return;
  for (const outcome of outcomes) {
    const { machine, ready, forwards } = outcome;
    const ports = forwards.slice(1).map(({ hostIp, host, guest }) => `${hostIp}:${host} → ${guest}`);
    const next = ready
      ? `${machine} is up: vm ssh ${machine}`
      : `${machine} is started: vm screenshot ${machine} shows its screen`;
    const parts = [next, ...(ports.length > 0 ? [`ports ${ports.join(', ')}`] : []), ...(ready ? workOf(outcome) : [])];
    output.text(parts.join('; '));
    const message = 'machines' in project.spec && project.spec.machines.find(({ name }) => name === machine)?.message;
    if (message) output.text(message);
  }
}

/** What was done, and what was there already: `created, 2 steps cached, 1 run`. Pure. */
export function workOf({ created, started, resumed, steps, pending }: UpOutcome): string[] {
  const begun = created ? ['created'] : started ? ['started'] : resumed ? ['resumed'] : [];
  const counts = (['cached', 'done', 'changed', 'run'] as const).flatMap((wanted) => {
    const { length } = steps.filter(({ state }) => state === wanted);
    return length === 0 ? [] : [{ length, wanted }];
  });
  const counted = counts.map(({ length, wanted }, index) =>
    index > 0 ? `${length} ${wanted}` : `${length} ${length === 1 ? 'step' : 'steps'} ${wanted}`,
  );
  const done = [...begun, ...counted].join(', ');
  const waiting = pending.map(({ setting }) => setting).join(', ');
  return [...(done === '' ? [] : [done]), ...(waiting === '' ? [] : [`not applied: ${waiting}`])];
}

/** Ctrl-C leaves machines half-way on purpose: what stands is said, with the way on and the way back. */
async function explainInterruption(
  cause: InterruptedError,
  project: Project,
  { args, services }: Invocation,
): Promise<InterruptedError> {
  const states = await status(project, { patterns: args, checksHealth: false }, services);
  const standing = states.map(({ machine, state }) => `${machine} is ${state.replace('_', ' ')}`).join(', ');
  return new InterruptedError(`interrupted; ${standing}`, {
    hint: 'vm up goes on from here; vm destroy removes everything',
    cause,
  });
}

function printTimings({ output, globals }: Invocation, phases: readonly TimedPhase[]): void {
  if (globals.json) {
    output.json({ type: 'timings', phases: phases.map(phaseDocument) });
    return;
  }
  output.table(
    ['MACHINE', 'PHASE', 'TIME'],
    phases.map(({ subject, phase, elapsedMs }) => [subject, phase, formatSeconds(elapsedMs)]),
  );
}
