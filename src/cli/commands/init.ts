import { join, relative } from 'node:path';
import { init } from '../../operations/init.ts';
import type { CommandDefinition } from '../command.ts';

export const initCommand: CommandDefinition = {
  name: 'init',
  args: '[box]',
  summary: 'write a commented Machinefile',
  group: 'Project',
  example: 'vm init debian/12',
  completes: 'boxes',
  options: [
    { flags: '-t, --template <name>', description: 'begin with this template (default: default)' },
    { flags: '--force', description: 'overwrite a Machinefile that is there' },
  ],
  emitsEvents: () => true,
  async run({ args, options, host, output, globals }) {
    const { path } = await init({
      dir: host.cwd,
      templatesDir: join(host.packageDir, 'templates', 'machinefiles'),
      template: (options.template as string | undefined) ?? 'default', // commander gives its text
      box: args[0],
      force: options.force === true,
    });
    if (globals.json) output.json({ type: 'result', path });
    else if (!globals.quiet) output.text(`wrote ${relative(host.cwd, path)}; vm up starts what it describes`);
    return 0;
  },
};
