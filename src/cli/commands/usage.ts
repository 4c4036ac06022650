import { UsageError } from '../../errors.ts';
import { describeSize } from '../../http/progress-text.ts';
import { alternatives } from '../../machinefile/suggest.ts';
import { usage, usageOfHost } from '../../operations/usage/usage.ts';
import type { MachineUsage } from '../../operations/usage/usage-document.ts';
import type { CommandDefinition } from '../command.ts';
import { formatCsv } from '../csv.ts';
import { sizePair } from './stats.ts';

const FORMATS = ['table', 'csv', 'json'];

const HEADER = [
  'MACHINE',
  'CREATED',
  'DESTROYED',
  'HOURS',
  'CPU SECONDS',
  'GIB-HOURS',
  'DISK',
  'DISK READ / WRITTEN',
  'NETWORK IN / OUT',
];

export const usageCommand: CommandDefinition = {
  name: 'usage',
  args: '[machines...]',
  summary: 'what machines have used since their creation, also those that were destroyed',
  group: 'Machines',
  example: 'vm usage --all --format csv',
  completes: 'machines',
  options: [
    { flags: '-a, --all', description: 'every project of yours on this host' },
    { flags: '--format <format>', description: `${FORMATS.join(', ')} (default: table)`, parse: parseFormat },
  ],
  async run({ openProject, args, options, services, output, globals }) {
    const machines = options.all ? await usageOfHost(args, services) : await usage(await openProject(), args, services);
    const format = globals.json ? 'json' : options.format;
    if (format === 'json') output.json(machines);
    else if (format === 'csv') output.bytes(Buffer.from(usageCsv(machines)));
    else if (options.all) {
      output.table(
        [...HEADER, 'PROJECT'],
        machines.map((machine) => [...usageRow(machine), machine.project]),
      );
    } else output.table(HEADER, machines.map(usageRow));
    return 0;
  },
};

function parseFormat(text: string): string {
  if (FORMATS.includes(text)) return text;
  throw new UsageError(`there is no format “${text}”${alternatives(text, FORMATS)}`);
}

const CSV_COLUMNS: readonly (keyof MachineUsage)[] = [
  'machine',
  'project',
  'id',
  'provider',
  'box',
  'replica_of',
  'created_at',
  'destroyed_at',
  'exists',
  'running',
  'runs',
  'unseen_ends',
  'running_hours',
  'cpu_seconds',
  'memory_gib_hours',
  'disk_bytes',
  'disk_read_bytes',
  'disk_written_bytes',
  'network_in_bytes',
  'network_out_bytes',
];

/** The keys of `--json` as columns. */
export function usageCsv(machines: readonly MachineUsage[]): string {
  return formatCsv(
    CSV_COLUMNS,
    machines.map((machine) => CSV_COLUMNS.map((column) => machine[column])),
  );
}

/** One line of the table. `≥` stands before what is more by an amount that nobody saw. */
export function usageRow(machine: MachineUsage): string[] {
  const atLeast = machine.unseen_ends > 0 ? '≥ ' : '';
  return [
    machine.machine,
    dateText(machine.created_at),
    destructionText(machine),
    `${atLeast}${machine.running_hours.toFixed(3)}`,
    `${atLeast}${machine.cpu_seconds.toFixed(1)}`,
    `${atLeast}${machine.memory_gib_hours.toFixed(3)}`,
    machine.exists ? describeSize(machine.disk_bytes) : '-',
    `${atLeast}${sizePair(machine.disk_read_bytes, machine.disk_written_bytes)}`,
    sizePair(machine.network_in_bytes, machine.network_out_bytes),
  ];
}

function destructionText({ exists, destroyed_at }: MachineUsage): string {
  if (exists) return '-';
  return destroyed_at === null ? 'gone' : dateText(destroyed_at);
}

/** To the minute, in UTC as everywhere: `2026-01-31 12:00`. */
function dateText(iso: string): string {
  return iso.slice(0, 16).replace('T', ' ');
}
