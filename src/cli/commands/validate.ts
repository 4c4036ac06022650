import { requireSpec } from '../../operations/project.ts';
import type { CommandDefinition } from '../command.ts';

export const validateCommand: CommandDefinition = {
  name: 'validate',
  summary: 'check the Machinefile and report every mistake',
  group: 'Project',
  example: 'vm validate',
  async run({ openProject, output, globals }) {
    const { machines } = requireSpec(await openProject());
    if (globals.json) output.json({ valid: true, machines: machines.map(({ name }) => name) });
    else if (!globals.quiet) output.text(`the Machinefile is valid: ${machines.map(({ name }) => name).join(', ')}`);
    return 0;
  },
};
