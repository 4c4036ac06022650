import { statusOfHost } from '../../operations/status.ts';
import type { CommandDefinition } from '../command.ts';
import { runStatus, STATUS_HEADER, statusRow } from './status.ts';

export const listCommand: CommandDefinition = {
  name: 'list',
  args: '[machines...]',
  summary: 'the machines of this project, or of every project on this host',
  group: 'Machines',
  example: 'vm list --all',
  completes: 'machines',
  options: [{ flags: '-a, --all', description: 'every project of yours on this host' }],
  async run(invocation) {
    if (!invocation.options.all) return runStatus(invocation);
    const machines = await statusOfHost(invocation.services);
    if (invocation.globals.json) invocation.output.json(machines);
    else {
      const rows = machines.map((machine) => [...statusRow(machine), machine.project]);
      invocation.output.table([...STATUS_HEADER, 'PROJECT'], rows);
    }
    return 0;
  },
};
