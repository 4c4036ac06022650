import { describeSize } from '../../http/progress-text.ts';
import type { MachineStats } from '../../operations/stats/machine-stats.ts';
import { followStats, stats } from '../../operations/stats/stats.ts';
import type { CommandDefinition, Invocation } from '../command.ts';
import { LiveText } from '../live-text.ts';
import { formatTable } from '../output.ts';

const HEADER = ['MACHINE', 'CPU %', 'MEMORY / GIVEN', 'DISK READ / WRITTEN', 'NETWORK IN / OUT'];

export const statsCommand: CommandDefinition = {
  name: 'stats',
  args: '[machines...]',
  summary: 'what machines take of the host now: processor, memory, disk, network',
  group: 'Machines',
  example: 'vm stats --no-stream',
  completes: 'machines',
  options: [{ flags: '--no-stream', description: 'once, not each second until Ctrl-C' }],
  emitsEvents: ({ stream }) => stream !== false,
  run(invocation) {
    const { options, globals } = invocation;
    if (options.stream === false) return printOnce(invocation);
    if (globals.json) return printLines(invocation);
    // A terminal that somebody made without a size has 0 columns: nothing can be replaced on it.
    return process.stdout.isTTY && process.stdout.columns ? drawTable(invocation) : printOnce(invocation);
  },
};

async function printOnce({ openProject, args, services, output, globals }: Invocation): Promise<number> {
  const machines = await stats(await openProject(), args, services);
  if (globals.json) output.json(machines);
  else output.text(tableOf(machines));
  return 0;
}

async function printLines({ openProject, args: patterns, services, output }: Invocation): Promise<number> {
  for await (const machines of followStats(await openProject(), { patterns, startsWhole: true }, services)) {
    output.json({ type: 'stats', at: new Date().toISOString(), machines });
  }
  return 0;
}

/** Ends as `docker stats` does: with exit code 130, by Ctrl-C. */
async function drawTable({ openProject, args: patterns, services }: Invocation): Promise<number> {
  const project = await openProject();
  using screen = new LiveText(process.stdout);
  const request = { patterns, startsWhole: false };
  for await (const machines of followStats(project, request, services)) screen.show(tableOf(machines));
  return 0;
}

function tableOf(machines: readonly MachineStats[]): string {
  return formatTable([HEADER, ...machines.map(statsRow)]);
}

/** One line of the table. */
export function statsRow(machine: MachineStats): string[] {
  return [
    machine.machine,
    machine.cpu_percent === null ? '-' : machine.cpu_percent.toFixed(1),
    sizePair(machine.memory_bytes, machine.memory_limit_bytes),
    sizePair(machine.disk_read_bytes, machine.disk_written_bytes),
    sizePair(machine.network_in_bytes, machine.network_out_bytes),
  ];
}

/** Two amounts that belong together; `-` where they are not known. */
export function sizePair(first: number | null, second: number | null): string {
  return first === null || second === null ? '-' : `${describeSize(first)} / ${describeSize(second)}`;
}
