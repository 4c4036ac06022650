import type { HaltOutcome } from '../../operations/halt.ts';
import { halt } from '../../operations/halt.ts';
import type { CommandDefinition } from '../command.ts';
import { noHooksOption } from './project-options.ts';

const TEXTS: Readonly<Record<HaltOutcome['outcome'], string>> = {
  already_stopped: 'was not running',
  memory_discarded: 'is stopped; what was in its memory when it was suspended is discarded',
  not_created: 'is not created',
  power_button: 'is stopped',
  guest_poweroff: 'is stopped; it did not hear the power button, so it was told to power off',
  quit: 'is stopped, by force',
  killed: 'is stopped, by killing QEMU',
};

export const haltCommand: CommandDefinition = {
  name: 'halt',
  args: '[machines...]',
  summary: 'stop machines, gracefully; of suspended ones the memory is discarded',
  group: 'Machines',
  example: 'vm halt web',
  completes: 'machines',
  options: [noHooksOption, { flags: '--force', description: 'at once, like pulling the plug' }],
  emitsEvents: () => true,
  async run({ openProject, args, options, services, output, globals }) {
    const outcomes = await halt(await openProject(), args, { force: options.force === true, services });
    if (globals.json) output.json({ type: 'result', machines: outcomes });
    else if (!globals.quiet) {
      for (const { machine, outcome } of outcomes) output.text(`${machine} ${TEXTS[outcome]}`);
    }
    return 0;
  },
};
