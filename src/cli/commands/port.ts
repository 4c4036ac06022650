import { UsageError } from '../../errors.ts';
import { forwardText } from '../../machine/forwards.ts';
import { addPorts } from '../../operations/ports/add-ports.ts';
import { listPorts } from '../../operations/ports/list-ports.ts';
import { removePorts } from '../../operations/ports/remove-ports.ts';
import type { CommandDefinition } from '../command.ts';
import { forwardDocument, portChangeDocument } from '../documents.ts';
import { parsePortsToAdd, parsePortsToRemove } from '../port-arguments.ts';

const portListCommand: CommandDefinition = {
  name: 'port',
  args: '[machine]',
  summary: 'the forwarded ports of a machine',
  group: 'Inside a machine',
  example: 'vm port web',
  completes: 'machines',
  // A machine called add is meant by `vm port -- add`.
  takesRest: true,
  async run({ openProject, args, rest, output, globals }) {
    const [machine, ...more] = [...args, ...rest];
    if (more.length > 0)
      throw new UsageError('name one machine', { hint: 'vm port add and vm port remove change ports' });
    const forwards = await listPorts(await openProject(), machine);
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

const portAddCommand: CommandDefinition = {
  name: 'port add',
  args: '<machine> <ports...>',
  summary: 'forward further ports, without a restart: [[host_ip:]host:]guest[/tcp|udp], and ranges',
  group: 'Inside a machine',
  example: 'vm port add web 8080:80 5353:53/udp',
  completes: 'machines',
  emitsEvents: () => true,
  async run({ openProject, args: [machine = '', ...texts], services, output, globals }) {
    const ports = parsePortsToAdd(texts);
    const change = await addPorts(await openProject(), { machine, ports }, services);
    if (globals.json) {
      output.json({ type: 'result', ...portChangeDocument(change) });
    } else if (!globals.quiet) {
      for (const port of change.ports) output.text(forwardText(port));
      if (!change.isRunning)
        output.text(`${change.machine} does not run: vm up ${change.machine} opens what is forwarded`);
    }
    return 0;
  },
};

const portRemoveCommand: CommandDefinition = {
  name: 'port remove',
  args: '<machine> <ports...>',
  summary: 'stop forwarding ports that were added: by host port, or as they were added',
  group: 'Inside a machine',
  example: 'vm port remove web 8080',
  completes: 'machines',
  emitsEvents: () => true,
  async run({ openProject, args: [machine = '', ...texts], services, output, globals }) {
    const ports = parsePortsToRemove(texts);
    const change = await removePorts(await openProject(), { machine, ports }, services);
    if (globals.json) output.json({ type: 'result', ...portChangeDocument(change) });
    else if (!globals.quiet) for (const port of change.ports) output.text(`${forwardText(port)} is removed`);
    return 0;
  },
};

export const portCommands: readonly CommandDefinition[] = [portListCommand, portAddCommand, portRemoveCommand];
