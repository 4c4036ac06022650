import { isRun } from '../../machine/run-store.ts';
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
  options: [
    { flags: '-a, --all', description: 'every project of yours on this host' },
    { flags: '--runs', description: 'those that vm run has made' },
  ],
  async run(invocation) {
    const { options, services } = invocation;
    if (!options.all && !options.runs) return runStatus(invocation);
    const ofHost = await statusOfHost(services);
    const machines = options.all ? ofHost : ofHost.filter(({ project }) => isRun(project, services.dirs.homeDir));
    if (invocation.globals.json) invocation.output.json(machines);
    else {
      const rows = machines.map((machine) => [...statusRow(machine), machine.project]);
      invocation.output.table([...STATUS_HEADER, 'PROJECT'], rows);
    }
    return 0;
  },
};
