import { yamlText } from '../../machinefile/yaml-text.ts';
import { config } from '../../operations/config.ts';
import { requireSpec } from '../../operations/project.ts';
import type { CommandDefinition } from '../command.ts';

export const configCommand: CommandDefinition = {
  name: 'config',
  summary: 'print the resolved configuration: merged, interpolated, with defaults',
  group: 'Project',
  example: 'vm config --json',
  async run({ openProject, output, globals }) {
    const resolved = config(requireSpec(await openProject()));
    if (globals.json) output.json(resolved);
    else output.text(yamlText(resolved).trimEnd());
    return 0;
  },
};
