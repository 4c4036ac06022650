import { InterruptedError } from '../../errors.ts';
import { logs } from '../../operations/logs.ts';
import type { CommandDefinition } from '../command.ts';

export const logsCommand: CommandDefinition = {
  name: 'logs',
  args: '[machine]',
  summary: "what a machine's serial console has printed since its start",
  group: 'Inside a machine',
  example: 'vm logs -f web',
  completes: 'machines',
  options: [{ flags: '-f, --follow', description: 'go on printing, until Ctrl-C' }],
  emitsEvents: () => true,
  async run({ openProject, args, options, services, output, globals }) {
    const follow = options.follow === true;
    const decoder = new TextDecoder();
    for await (const bytes of logs(await openProject(), args[0], { follow, signal: services.signal })) {
      if (globals.json) output.json({ type: 'log', text: decoder.decode(bytes, { stream: true }) });
      else output.bytes(bytes);
    }
    if (services.signal.aborted) throw new InterruptedError();
    return 0;
  },
};
