import { type MachineStatus, status } from '../../operations/status.ts';
import type { CommandDefinition, Invocation } from '../command.ts';
import { formatUptime } from '../uptime.ts';

export const STATUS_HEADER = ['MACHINE', 'STATE', 'PROVIDER', 'UPTIME', 'SSH', 'PORTS'];

export const statusCommand: CommandDefinition = {
  name: 'status',
  alias: 'ps',
  args: '[machines...]',
  summary: "the machines' states, addresses and ports",
  group: 'Machines',
  example: 'vm status --json',
  completes: 'machines',
  options: [{ flags: '--no-health', description: 'run no health checks, which takes a login each' }],
  run: runStatus,
};

export async function runStatus({
  openProject,
  args,
  options,
  services,
  output,
  globals,
}: Invocation): Promise<number> {
  const request = { patterns: args, checksHealth: options.health !== false };
  const machines = await status(await openProject(), request, services);
  if (globals.json) output.json(machines);
  else if (globals.verbose) {
    output.table(
      [...STATUS_HEADER, 'NETWORKS'],
      machines.map((machine) => [...statusRow(machine), networksText(machine)]),
    );
  } else output.table(STATUS_HEADER, machines.map(statusRow));
  return 0;
}

/** One line of the table. */
export function statusRow(machine: MachineStatus): string[] {
  const { ssh, ports } = machine;
  return [
    machine.machine,
    stateText(machine),
    machine.provider,
    machine.started_at === null ? '-' : formatUptime(Date.now() - Date.parse(machine.started_at)),
    ssh === null ? '-' : `${ssh.user}@${ssh.host}:${ssh.port}`,
    ports.map(({ host_ip, host, guest, protocol }) => `${host_ip}:${host}→${guest}/${protocol}`).join(' ') || '-',
  ];
}

/** `backend 10.10.10.12 (vde)`: where the machine is, and on what kind of segment. */
function networksText({ networks }: MachineStatus): string {
  const texts = networks.map(({ network, address, address6, segment }) =>
    [network, address, ...(address6 === null ? [] : [address6]), `(${segment})`].join(' '),
  );
  return texts.join(', ') || '-';
}

function stateText({ state, reason, health }: MachineStatus): string {
  const more = reason?.split('\n')[0] ?? health;
  return more === null ? state : `${state} (${more})`;
}
