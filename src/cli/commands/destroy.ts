import { destroy, machinesToDestroy } from '../../operations/destroy.ts';
import type { CommandDefinition } from '../command.ts';
import { noHooksOption } from './project-options.ts';

export const destroyCommand: CommandDefinition = {
  name: 'destroy',
  args: '[machines...]',
  summary: 'remove machines and everything of theirs',
  group: 'Machines',
  example: 'vm destroy --yes',
  completes: 'machines',
  options: [noHooksOption],
  emitsEvents: () => true,
  async run({ openProject, args, services, output, globals, confirm }) {
    const project = await openProject();
    const names = await machinesToDestroy(project, args);
    if (names.length > 0 && !(await confirm(`Destroy ${names.join(', ')}? What is on the disks is lost.`))) return 1;
    const machines = await destroy(project, args, services);
    if (globals.json) output.json({ type: 'result', machines });
    else if (!globals.quiet) {
      output.text(machines.length === 0 ? 'nothing to destroy' : `${machines.join(', ')} destroyed`);
    }
    return 0;
  },
};
