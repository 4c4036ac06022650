import { resolve } from 'node:path';
import { screenshot } from '../../operations/screenshot.ts';
import type { CommandDefinition } from '../command.ts';

export const screenshotCommand: CommandDefinition = {
  name: 'screenshot',
  args: '[machine]',
  summary: "write what a machine's screen shows to a PNG file",
  group: 'Inside a machine',
  example: 'vm screenshot installer --output screen.png',
  completes: 'machines',
  options: [{ flags: '-o, --output <path>', description: 'the file; default: MACHINE.png in this folder' }],
  async run({ openProject, args, options, services, output, globals, host }) {
    const given = options.output as string | undefined; // as declared above
    const pathFor = (name: string) => resolve(host.cwd, given ?? `${name}.png`);
    const taken = await screenshot(await openProject(), { machine: args[0], pathFor }, services);
    if (globals.json) output.json(taken);
    else if (!globals.quiet) output.text(taken.path);
    return 0;
  },
};
