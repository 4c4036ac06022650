import type { CommandDefinition, CommandGroup } from './command.ts';

const GROUPS: readonly CommandGroup[] = ['Project', 'Machines', 'Inside a machine', 'Volumes', 'Boxes', 'This host'];

/** The page of `vm --help`: every command that works, by group, with an example. Pure. */
export function formatProgramHelp(commands: readonly CommandDefinition[]): string {
  const width = longestName(commands);
  const sections = GROUPS.map((group) =>
    [
      `${group}:`,
      ...formatCommands(
        commands.filter((command) => command.group === group),
        width,
      ),
    ].join('\n'),
  );
  return `${[
    'vm: machines from a Machinefile, on QEMU',
    'Usage: vm [-f FILE] [--json] [-q|--verbose] [--no-color] [-y] COMMAND [MACHINE…]',
    ...sections,
    [
      'Machines are named, or matched by a glob: vm halt "web-*". None given: all of them.',
      'vm help COMMAND says what a command takes. Exit codes: 0 done, 1 failed, 2 usage or Machinefile, 130 interrupted.',
    ].join('\n'),
  ].join('\n\n')}\n`;
}

/** The page of a command that is only the first word of others: `vm box --help`. Pure. */
export function formatGroupHelp(group: string, commands: readonly CommandDefinition[]): string {
  const members = commands.filter(({ name }) => name.startsWith(`${group} `));
  const lines = formatCommands(members, longestName(members));
  return [`Usage: vm ${group} COMMAND`, '', ...lines, '', `vm help ${group} COMMAND says what it takes.`, ''].join(
    '\n',
  );
}

function formatCommands(commands: readonly CommandDefinition[], width: number): string[] {
  const indent = ' '.repeat(width);
  return commands.map(
    ({ name, summary, example }) => `  ${name.padEnd(width)}  ${summary}\n  ${indent}  e.g. ${example}`,
  );
}

function longestName(commands: readonly CommandDefinition[]): number {
  return Math.max(...commands.map(({ name }) => name.length));
}
