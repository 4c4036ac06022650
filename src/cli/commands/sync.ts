import { sync } from '../../operations/sync.ts';
import type { CommandDefinition } from '../command.ts';

export const syncCommand: CommandDefinition = {
  name: 'sync',
  args: '[machines...]',
  summary: 'sync the folders of running machines again',
  group: 'Inside a machine',
  example: 'vm sync web',
  completes: 'machines',
  emitsEvents: () => true,
  async run({ openProject, args, services, output, globals }) {
    const machines = await sync(await openProject(), args, services);
    if (globals.json) output.json({ type: 'result', machines });
    else if (machines.length === 0 && !globals.quiet) output.text('no machine here has a synced folder');
    return 0;
  },
};
