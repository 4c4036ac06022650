import type { CommandDefinition } from '../command.ts';

export const versionCommand: CommandDefinition = {
  name: 'version',
  summary: 'the version of vm',
  group: 'This host',
  example: 'vm version --json',
  async run({ output, globals, host }) {
    if (globals.json) output.json({ vm: host.version, node: process.versions.node });
    else output.text(`vm ${host.version}`);
    return 0;
  },
};
