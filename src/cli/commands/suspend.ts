import { type ResumeOutcome, resume } from '../../operations/suspend/resume.ts';
import { type SuspendOutcome, suspend } from '../../operations/suspend/suspend.ts';
import type { CommandDefinition, Invocation } from '../command.ts';

const SUSPENDED: Readonly<Record<SuspendOutcome['outcome'], string>> = {
  suspended: 'is suspended',
  already_suspended: 'was suspended already',
  not_running: 'was not running',
  not_created: 'is not created',
};

const RESUMED: Readonly<Record<ResumeOutcome['outcome'], string>> = {
  resumed: 'goes on where it was suspended',
  booted: 'is up, started from its disk',
  already_running: 'was running already',
  not_suspended: 'is not suspended: vm up starts it',
  not_created: 'is not created',
};

export const suspendCommand: CommandDefinition = {
  name: 'suspend',
  args: '[machines...]',
  summary: 'save what is in the memory of machines, and end them',
  group: 'Machines',
  example: 'vm suspend web',
  completes: 'machines',
  emitsEvents: () => true,
  async run(invocation) {
    const { openProject, args, services } = invocation;
    const outcomes = await suspend(await openProject(), args, services);
    return print(invocation, outcomes, ({ outcome }) => SUSPENDED[outcome]);
  },
};

export const resumeCommand: CommandDefinition = {
  name: 'resume',
  args: '[machines...]',
  summary: 'let machines go on where they were suspended',
  group: 'Machines',
  example: 'vm resume web',
  completes: 'machines',
  emitsEvents: () => true,
  async run(invocation) {
    const { openProject, args, services } = invocation;
    const outcomes = await resume(await openProject(), args, services);
    return print(invocation, outcomes, ({ outcome }) => RESUMED[outcome]);
  },
};

function print<T extends { readonly machine: string }>(
  { output, globals }: Invocation,
  outcomes: readonly T[],
  describe: (outcome: T) => string,
): number {
  if (globals.json) output.json({ type: 'result', machines: outcomes });
  else if (!globals.quiet) for (const outcome of outcomes) output.text(`${outcome.machine} ${describe(outcome)}`);
  return 0;
}
