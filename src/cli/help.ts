import type { CommandDefinition, CommandGroup } from './command.ts';

const GROUPS: readonly CommandGroup[] = ['Project', 'Machines', 'Inside a machine', 'Boxes', 'This host'];

/** The page of `vm --help`: every command that works, by group, with an example. Pure. */
export function formatProgramHelp(commands: readonly CommandDefinition[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const sections = GROUPS.map((group) => {
    const lines = commands
      .filter((command) => command.group === group)
      .map(
        ({ name, summary, example }) => `  ${name.padEnd(width)}  ${summary}\n  ${' '.repeat(width)}  e.g. ${example}`,
      );
    return [`${group}:`, ...lines].join('\n');
  });
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
