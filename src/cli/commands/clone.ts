import { cloneMachine } from '../../operations/clone/clone.ts';
import type { CommandDefinition } from '../command.ts';

export const cloneCommand: CommandDefinition = {
  name: 'clone',
  args: '<machine> <name>',
  summary:
    'make another machine with the disks that one has now, running or not, and an identity of its own; it boots anew',
  group: 'Machines',
  example: 'vm clone web web-try',
  completes: 'machines',
  emitsEvents: () => true,
  async run({ openProject, args, services, output, globals }) {
    const [machine = '', name = ''] = args;
    await cloneMachine(await openProject(), { machine, name }, services);
    if (globals.json) output.json({ type: 'result', machine: name, clone_of: machine });
    else if (!globals.quiet) output.text(`${name} is a clone of ${machine}: vm up ${name} starts it`);
    return 0;
  },
};
