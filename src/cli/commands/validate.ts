import { requireSpec } from '../../operations/project.ts';
import type { CommandDefinition } from '../command.ts';

export const validateCommand: CommandDefinition = {
  name: 'validate',
  summary: 'check the Machinefile and report every mistake',
  group: 'Project',
  example: 'vm validate',
  async run({ openProject, output, globals }) {
    const { machines } = requireSpec(await openProject());
    const names = machines.flatMap(({ name, cloneOf }) => (cloneOf === undefined ? [name] : []));
    if (globals.json) output.json({ valid: true, machines: names });
    else if (!globals.quiet) output.text(`the Machinefile is valid: ${names.join(', ') || 'no machines for now'}`);
    return 0;
  },
};
