import { provision } from '../../operations/provision/provision.ts';
import type { CommandDefinition } from '../command.ts';
import { provisionDocument } from '../documents.ts';
import { noHooksOption } from './project-options.ts';
import { splitList } from './up-options.ts';

export const provisionCommand: CommandDefinition = {
  name: 'provision',
  args: '[machines...]',
  summary: 'run provisioning steps again',
  group: 'Inside a machine',
  example: 'vm provision web --with nginx',
  completes: 'machines',
  options: [
    { flags: '--with <steps>', description: 'only these (names or types, with commas)', parse: splitList },
    noHooksOption,
  ],
  emitsEvents: () => true,
  async run({ openProject, args, options, services, output, globals }) {
    const names = options.with as string[] | undefined; // parsed by splitList
    const choice = names === undefined ? ({ kind: 'all' } as const) : ({ kind: 'named', names } as const);
    const outcomes = await provision(await openProject(), { patterns: args, choice }, services);
    if (globals.json) output.json({ type: 'result', machines: outcomes.map(provisionDocument) });
    else if (!globals.quiet) {
      for (const { machine, stepsRun } of outcomes) output.text(`${machine}: ran ${stepsRun.join(', ') || 'nothing'}`);
    }
    return 0;
  },
};
