import { reload } from '../../operations/reload.ts';
import type { CommandDefinition } from '../command.ts';
import { upDocument } from '../documents.ts';
import { noHooksOption } from './project-options.ts';
import {
  lockedOption,
  lockMode,
  parallelism,
  parallelOption,
  provisionChoice,
  provisionOptions,
} from './up-options.ts';

export const reloadCommand: CommandDefinition = {
  name: 'reload',
  args: '[machines...]',
  summary: 'stop and start machines, so that changed settings take effect',
  group: 'Machines',
  example: 'vm reload web',
  completes: 'machines',
  options: [
    ...provisionOptions,
    parallelOption,
    lockedOption,
    noHooksOption,
    { flags: '--force', description: 'stop them at once' },
  ],
  emitsEvents: () => true,
  async run({ openProject, args, options, services, output, globals }) {
    const outcomes = await reload(
      await openProject(),
      {
        patterns: args,
        lock: lockMode(options),
        options: { provision: provisionChoice(options), recreate: false },
        parallel: parallelism(options),
        force: options.force === true,
      },
      services,
    );
    if (globals.json) output.json({ type: 'result', machines: outcomes.map(upDocument) });
    else if (!globals.quiet) for (const { machine } of outcomes) output.text(`${machine} is up again`);
    return 0;
  },
};
