import { Command, CommanderError, Help, InvalidArgumentError, Option } from 'commander';
import { UsageError } from '../errors.ts';
import { alternatives } from '../machinefile/suggest.ts';
import type { CommandDefinition, GlobalOptions, OptionDefinition } from './command.ts';
import { loadAllCommands, loadCommands } from './commands/index.ts';
import { formatGroupHelp, formatProgramHelp } from './help.ts';

/** What a command line asks for. */
export type CommandLine =
  /** Help or version: printed already. */
  { readonly kind: 'answered'; readonly exitCode: number } | CommandCall;

export interface CommandCall {
  readonly kind: 'call';
  readonly command: CommandDefinition;
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly rest: readonly string[];
  readonly globals: GlobalOptions;
}

/** @throws UsageError saying what is wrong with the command line. */
export async function parseCommandLine(argv: readonly string[]): Promise<CommandLine> {
  const separator = argv.indexOf('--');
  const head = await withoutShorthands(separator < 0 ? argv : argv.slice(0, separator));
  const rest = separator < 0 ? [] : argv.slice(separator + 1);
  let call: Omit<CommandCall, 'kind' | 'rest'> | undefined;
  const program = buildProgram(await candidates(head), (found) => {
    call = found;
  });
  if (head.length === 0) {
    program.outputHelp();
    return { kind: 'answered', exitCode: 0 };
  }
  try {
    program.parse(head, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return { kind: 'answered', exitCode: 0 };
    throw error;
  }
  if (call === undefined) throw new UsageError('no command given', { hint: LIST_HINT });
  if (separator >= 0 && !call.command.takesRest) {
    throw new UsageError(`${call.command.name} takes nothing after --`, { hint: `vm help ${call.command.name}` });
  }
  return { kind: 'call', rest, ...call };
}

const LIST_HINT = 'vm --help lists the commands';

/** `vm help up` is `vm up --help`, and `vm --version` is `vm version`. @throws UsageError for help on no command. */
async function withoutShorthands(words: readonly string[]): Promise<readonly string[]> {
  const [first, ...others] = words;
  if (first === '--version' || first === '-V') return ['version', ...others];
  if (first !== 'help') return words;
  const commands = await loadAllCommands();
  const topics = [...new Set(commands.flatMap(({ name, alias }) => [name, name.split(' ')[0] ?? name, alias ?? name]))];
  const topic = others.filter((word) => !word.startsWith('-')).join(' ');
  if (topic !== '' && !topics.includes(topic)) {
    throw new UsageError(`there is no command “${topic}”${alternatives(topic, topics)}`, { hint: LIST_HINT });
  }
  return [...others, '--help'];
}

/** Passes on commander's failures as ours: it does not say which command it was at. */
function failAs(fullName: string): (error: CommanderError) => never {
  return (error) => {
    if (error.exitCode === 0) throw error;
    const text = error.message.replace(/^error: /, '').replace(/\n\(Did/, ' (did');
    const hint = fullName === '' ? LIST_HINT : `vm help ${fullName}`;
    throw new UsageError(text === '(outputHelp)' ? 'no command given' : text, { hint });
  };
}

/** The commands that the line can mean: to make all of them takes longer than some of them run. */
async function candidates(words: readonly string[]): Promise<readonly CommandDefinition[]> {
  const isHelp = words.some((word) => word === '--help' || word === '-h');
  const named = isHelp ? [] : await loadCommands(words);
  return named.length > 0 ? named : loadAllCommands();
}

function buildProgram(
  known: readonly CommandDefinition[],
  onCall: (call: Omit<CommandCall, 'kind' | 'rest'>) => void,
): Command {
  const program = new Command('vm')
    .description('Machines from a Machinefile, on QEMU.')
    .enablePositionalOptions()
    .exitOverride(failAs(''))
    .configureOutput({ writeErr: () => {} })
    .helpCommand(false)
    .configureHelp({ formatHelp: () => formatProgramHelp(known) });
  addGlobalOptions(program, true);
  const groups = new Map<string, Command>();
  for (const definition of known) {
    const { parent, name } = parentOf(program, definition.name, { groups, known });
    const command = addCommand(parent, name, definition, onCall);
    if (parent === program) groups.set(name, command);
  }
  return program;
}

/** `box build` is the command `build` of the command `box`; `port add` that of `port`, which is a command itself. */
function parentOf(
  program: Command,
  fullName: string,
  { groups, known }: { readonly groups: Map<string, Command>; readonly known: readonly CommandDefinition[] },
): { parent: Command; name: string } {
  const [group, name] = fullName.split(' ');
  if (group === undefined || name === undefined) return { parent: program, name: fullName };
  const parent =
    groups.get(group) ??
    program
      .command(group)
      .exitOverride(failAs(group))
      .helpCommand(false)
      .configureHelp({ formatHelp: () => formatGroupHelp(group, known) });
  groups.set(group, parent);
  return { parent, name };
}

function addCommand(
  parent: Command,
  name: string,
  definition: CommandDefinition,
  onCall: (call: Omit<CommandCall, 'kind' | 'rest'>) => void,
): Command {
  const command = parent
    .command(definition.args === undefined ? name : `${name} ${definition.args}`)
    .description(definition.summary)
    .exitOverride(failAs(definition.name))
    // What follows the name of a command of this one is that one's.
    .enablePositionalOptions()
    .helpCommand(false)
    .configureHelp({ formatHelp: formatCommandHelp })
    .addHelpText('after', `\nExample:\n  ${definition.example}`);
  const alias = definition.alias?.split(' ').at(-1);
  if (alias !== undefined) command.alias(alias);
  for (const option of definition.options ?? []) command.addOption(commanderOption(option));
  const ownsShortF = definition.options?.some(({ flags }) => flags.startsWith('-f')) ?? false;
  addGlobalOptions(command, !ownsShortF);
  command.action(() => {
    onCall({
      command: definition,
      args: command.args,
      options: command.opts(),
      globals: globalOptions([command, ...ancestors(command)]),
    });
  });
  return command;
}

/** Commander's own page: a command would otherwise inherit its parent's. */
function formatCommandHelp(command: Command, helper: Help): string {
  return Help.prototype.formatHelp.call(helper, command, helper);
}

function commanderOption({ flags, description, parse }: OptionDefinition): Option {
  const option = new Option(flags, description);
  if (parse === undefined) return option;
  return option.argParser((text, previous) => {
    try {
      return parse(text, previous);
    } catch (error) {
      throw error instanceof UsageError ? new InvalidArgumentError(error.message) : error;
    }
  });
}

function addGlobalOptions(command: Command, withShortFile: boolean): void {
  const collect = (value: string, previous: string[] | undefined) => [...(previous ?? []), value];
  command
    .option(
      withShortFile ? '-f, --file <path>' : '--file <path>',
      'a Machinefile; repeatable, later ones override',
      collect,
    )
    .option('--json', 'results and events as JSON')
    .option('-q, --quiet', 'only results, warnings and errors')
    .option('--verbose', 'also say what is waited for')
    .option('--no-color', 'no colours')
    .option('-y, --yes', 'answer yes to every question');
}

function ancestors(command: Command): Command[] {
  return command.parent === null ? [] : [command.parent, ...ancestors(command.parent)];
}

/** The global options, wherever on the line they stood. */
function globalOptions(levels: readonly Command[]): GlobalOptions {
  const opts = levels.map((level) => level.opts());
  const isSet = (name: string) => opts.some((values) => values[name] === true);
  return {
    files: opts.reverse().flatMap((values) => (values.file as string[] | undefined) ?? []), // `collect` makes it
    json: isSet('json'),
    quiet: isSet('quiet'),
    verbose: isSet('verbose'),
    color: !opts.some((values) => values.color === false),
    yes: isSet('yes'),
  };
}
