import type { CommandDefinition } from './command.ts';

type Script = (commands: readonly CommandDefinition[]) => string;

/** Makes a shell's completion script from the table of commands. Machine names are asked of `vm` itself. */
export const completionScripts: Readonly<Record<string, Script>> = {
  bash: bashScript,
  zsh: (commands) => `#compdef vm\nautoload -U +X bashcompinit && bashcompinit\n${bashScript(commands)}`,
  fish: fishScript,
};

/** Print names of the project here, one a line; nothing where there is none. */
const LIST_MACHINES = 'vm completion machines 2>/dev/null';
const LIST_GROUPS = 'vm completion groups 2>/dev/null';
const LIST_VOLUMES = 'vm completion volumes 2>/dev/null';
const LIST_BOXES = "vm box list 2>/dev/null | tail -n +2 | cut -d ' ' -f 1";
const LIST_LAYERS = "vm cache list 2>/dev/null | tail -n +2 | cut -d ' ' -f 1";

const SOURCES: Readonly<Record<NonNullable<CommandDefinition['completes']>, string>> = {
  machines: `$(${LIST_MACHINES})`,
  groups: `$(${LIST_GROUPS})`,
  volumes: `$(${LIST_VOLUMES})`,
  boxes: `$(${LIST_BOXES})`,
  layers: `$(${LIST_LAYERS})`,
  shells: 'bash zsh fish',
};

const GLOBAL_FLAGS = ['--file', '--json', '--quiet', '--verbose', '--no-color', '--yes', '--help'];

function bashScript(commands: readonly CommandDefinition[]): string {
  const cases = commands.map((command) => {
    const { name, completes } = command;
    const words = [...memberNames(commands, name), ...longFlags(command), ...(completes ? [SOURCES[completes]] : [])];
    return `    '${name}') words="${words.join(' ')}" ;;`;
  });
  const groupCases = groupNames(commands).map(
    (group) => `    '${group}') words="${memberNames(commands, group).join(' ')}" ;;`,
  );
  const nested = commands.flatMap(({ name }) => (name.includes(' ') ? [`'${name}'`] : []));
  const names = topLevelNames(commands).join(' ');
  return `_vm() {
  local current="\${COMP_WORDS[COMP_CWORD]}" command="\${COMP_WORDS[1]}" words
  if [ "$COMP_CWORD" -gt 2 ]; then
    case "$command \${COMP_WORDS[2]}" in
      ${nested.join('|')}) command="$command \${COMP_WORDS[2]}" ;;
    esac
  fi
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="help ${names}"
  elif [ "$command" = help ]; then
    words="${names}"
  else
    case "$command" in
${[...groupCases, ...cases].join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ "\${COMPREPLY[0]}" == *= ]] && compopt -o nospace 2>/dev/null
  return 0
}
complete -F _vm vm`;
}

function fishScript(commands: readonly CommandDefinition[]): string {
  const lines = commands.flatMap((command) => {
    const [first = '', second] = command.name.split(' ');
    const seen = `__fish_seen_subcommand_from ${first}${second ? `; and __fish_seen_subcommand_from ${second}` : ''}`;
    const parent = second ? `__fish_seen_subcommand_from ${first}` : '__fish_use_subcommand';
    const source = command.completes && SOURCES[command.completes].replace(/^\$\((.*)\)$/, '($1)');
    return [
      `complete -c vm -f -n '${parent}' -a '${second ?? first}' -d '${command.summary.replaceAll("'", "\\'")}'`,
      ...longFlags(command).map((flag) => `complete -c vm -n '${seen}' -l '${flag.slice(2)}'`),
      ...(source ? [`complete -c vm -f -n '${seen}' -a "${source.replaceAll('"', '\\"')}"`] : []),
    ];
  });
  const names = topLevelNames(commands).join(' ');
  return [
    ...groupNames(commands).map((group) => `complete -c vm -f -n '__fish_use_subcommand' -a '${group}'`),
    "complete -c vm -f -n '__fish_use_subcommand' -a 'help' -d 'what a command does and takes'",
    `complete -c vm -f -n '__fish_seen_subcommand_from help' -a '${names}'`,
    ...lines,
  ].join('\n');
}

function longFlags({ options = [] }: CommandDefinition): string[] {
  const own = options.flatMap(({ flags }) => flags.match(/--[a-z-]+/g) ?? []);
  return [...own, ...GLOBAL_FLAGS];
}

function topLevelNames(commands: readonly CommandDefinition[]): string[] {
  return [...new Set(commands.map(({ name }) => name.split(' ')[0] ?? name))];
}

/** First words that are no commands by themselves. */
function groupNames(commands: readonly CommandDefinition[]): string[] {
  return topLevelNames(commands).filter((name) => !commands.some((command) => command.name === name));
}

/** What follows the first word of commands of two words. */
function memberNames(commands: readonly CommandDefinition[], group: string): string[] {
  return commands.flatMap(({ name }) => (name.startsWith(`${group} `) ? [name.slice(group.length + 1)] : []));
}
