import type { CommandDefinition, OptionDefinition } from '../command.ts';
import { splitList } from './up-options.ts';

export const noHooksOption: OptionDefinition = {
  flags: '--no-hooks',
  description: 'run none of the hooks in the Machinefile',
};

const profileOption: OptionDefinition = {
  flags: '--profile <profiles>',
  description: 'machines of these profiles take part, too (repeatable, or with commas); more by VM_PROFILES',
  parse: (text, previous) => [...(Array.isArray(previous) ? previous : []), ...splitList(text)],
};

/** The command with the option to choose profiles, if it is about machines of a project. */
export function withProfiles(command: CommandDefinition): CommandDefinition {
  if (command.completes !== 'machines') return command;
  return { ...command, options: [...(command.options ?? []), profileOption] };
}

/** What the options of a command and the environment say of how its project is to be taken. */
export function projectChoice(
  options: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, string | undefined>>,
): { readonly profiles: readonly string[]; readonly runsHooks: boolean } {
  const given = (options.profile as readonly string[] | undefined) ?? []; // parsed by profileOption
  const fromVariable = env.VM_PROFILES?.split(',').filter((profile) => profile !== '') ?? [];
  return { profiles: [...given, ...fromVariable], runsHooks: options.hooks !== false };
}
