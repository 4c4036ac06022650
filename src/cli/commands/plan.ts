import { relative } from 'node:path';
import type { BoxOutlook } from '../../operations/plan/box-outlook.ts';
import { plan } from '../../operations/plan/plan.ts';
import type { PlannedSetting, PlannedStep, UpPlan } from '../../operations/plan/plan-up.ts';
import type { CommandDefinition } from '../command.ts';
import { planDocument } from '../documents.ts';
import { noDepsOption } from './up-options.ts';

/** None of those that say that something went wrong. */
const SOMETHING_TO_DO = 3;

export const planCommand: CommandDefinition = {
  name: 'plan',
  args: '[machines...]',
  summary: 'what `vm up` would do, and what was edited since machines were made; changes nothing',
  group: 'Machines',
  example: 'vm plan web',
  completes: 'machines',
  options: [
    noDepsOption,
    { flags: '--recreate', description: 'as `vm up --recreate` would do it' },
    { flags: '--exit-code', description: `exit with ${SOMETHING_TO_DO} unless every machine is up to date` },
  ],
  async run({ openProject, args, options, services, output, globals, host }) {
    const request = { patterns: args, withDependencies: options.deps !== false, recreate: options.recreate === true };
    const plans = await plan(await openProject(), request, services);
    if (globals.json) output.json(plans.map(planDocument));
    else for (const line of plans.flatMap((machine) => formatPlan(machine, host.cwd))) output.text(line);
    const isSettled = plans.every(({ isUpToDate }) => isUpToDate);
    return options.exitCode === true && !isSettled ? SOMETHING_TO_DO : 0;
  },
};

/** A line for the machine, then one for each step and each setting that was edited. Pure. */
export function formatPlan(machine: UpPlan, cwd: string): string[] {
  const { action, box, steps, removedSteps, settings } = machine;
  const isMade = action === 'create' || action === 'recreate';
  return [
    `${machine.machine} ${actionText(machine)}`,
    ...(box?.kind === 'absent' && !isMade ? [`  ${box.name} ${gettingText(box)}`] : []),
    ...settings.map((setting) => `  ${settingText(setting)}`),
    ...steps.map((step) => `  step ${step.step}: ${stepText(step, machine.machine, cwd)}`),
    ...removedSteps.map((step) => `  step ${step}: ran, and is not in the Machinefile any more`),
  ];
}

function actionText({ action, reason, box, isUpToDate }: UpPlan): string {
  switch (action) {
    case 'create':
      return `would be created${boxText(box)}`;
    case 'recreate':
      return `would be destroyed, with what is on its disks, and created${boxText(box)}`;
    case 'start':
      return 'would be started';
    case 'resume':
      return 'would be resumed';
    case 'none':
      return isUpToDate ? 'is up to date' : 'is running';
    case 'fail':
      return `could not be brought up: ${reason}`;
  }
}

const GETTING = { build: 'built', download: 'downloaded', import: 'imported' } as const;

function boxText(box: BoxOutlook | undefined): string {
  switch (box?.kind) {
    case undefined:
    case 'nowhere':
      return '';
    case 'here':
      return ` from ${box.box.name} ${box.box.version}`;
    case 'absent':
      return ` from ${box.name}, which ${gettingText(box)}`;
    case 'unlocked':
      return ` from ${box.name}, which would be ${GETTING[box.by]} unless it is here already`;
  }
}

function gettingText({ by, from }: Extract<BoxOutlook, { kind: 'absent' }>): string {
  return `would be ${GETTING[by]} first (${from})`;
}

function settingText({ setting, needs, command }: PlannedSetting): string {
  const loss = needs === 'recreate' ? ' and loses what is on the disks' : '';
  return `${setting} changed: ${command} applies it${loss}`;
}

function stepText({ step, state, runs, changed, scriptPath }: PlannedStep, machine: string, cwd: string): string {
  const file = scriptPath === undefined ? '' : ` ${relative(cwd, scriptPath)}`;
  const what = changed.map((part) => (part === 'script' ? `script${file}` : part)).join(', ');
  if (runs) return `would run (${state})`;
  if (state === 'changed') {
    const parts = what === '' ? '' : ` (${what})`;
    return `changed since it ran${parts}: vm provision ${machine} --with ${step} runs it again`;
  }
  if (changed.length > 0) return `${WORDS[state]}, but changed since it ran (${what})`;
  return WORDS[state];
}

const WORDS: Readonly<Record<PlannedStep['state'], string>> = {
  new: 'new',
  always: 'always',
  asked: 'asked for',
  done: 'done',
  changed: 'changed',
  cached: 'cached',
  never: 'runs only when asked',
  not_asked: 'not asked for',
  by_hand: 'left to vm provision',
};
