import { ports } from '../../operations/port.ts';
import type { CommandDefinition } from '../command.ts';
import { forwardDocument } from '../documents.ts';

export const portCommand: CommandDefinition = {
  name: 'port',
  args: '[machine]',
  summary: 'the forwarded ports of a machine',
  group: 'Inside a machine',
  example: 'vm port web',
  completes: 'machines',
  async run({ openProject, args, output, globals }) {
    const forwards = await ports(await openProject(), args[0]);
    if (globals.json) {
      output.json(forwards.map(forwardDocument));
    } else {
      output.table(
        ['HOST', 'GUEST'],
        forwards.map(({ hostIp, host, guest, protocol }) => [`${hostIp}:${host}`, `${guest}/${protocol}`]),
      );
    }
    return 0;
  },
};
