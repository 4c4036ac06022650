import type { HostCommand } from '../../host/exec.ts';
import type { MachineDocument } from '../schema.ts';
import type { HookName } from '../spec.ts';
import { isMistake, type Parsed } from './parsed.ts';

type Settings = NonNullable<MachineDocument>;
type HookDocument = NonNullable<NonNullable<Settings['hooks']>[HookName]>;

/** One command, as a text or as a list of its words. */
export type CommandDocument = Exclude<HookDocument, string>[number];

/** One hook as a list of commands. */
export interface HookForm {
  readonly name: HookName;
  readonly commands: readonly CommandDocument[];
  /** It is written as its only command. */
  readonly isOne: boolean;
}

const HOOK_NAMES = [
  'before_up',
  'after_up',
  'before_halt',
  'after_halt',
  'before_destroy',
  'after_destroy',
  'before_provision',
  'after_provision',
] as const satisfies HookName[];

/** The hooks of a machine; extension keys are none of them. */
export function hooksOf({ hooks = {} }: Settings): HookForm[] {
  return HOOK_NAMES.flatMap((name) => {
    const hook = hooks[name];
    if (hook === undefined) return [];
    const isOne = typeof hook === 'string';
    return [{ name, commands: isOne ? [hook] : hook, isOne }];
  });
}

/**
 * A command as a program and its arguments. No shell ever sees it: a text is only split into words, at blanks, where
 * quotes and backslashes keep together what they keep together in a shell. What only a shell understands is a mistake.
 */
export function parseCommand(command: CommandDocument): Parsed<HostCommand> {
  const words = typeof command === 'string' ? splitWords(command) : { value: command.map(String) };
  if (isMistake(words)) return words;
  const [file = '', ...args] = words.value;
  if (file === '') return { mistake: 'a command begins with a program' };
  if (/^[A-Za-z_]\w*=/.test(file)) return { mistake: `“${file}” is no program (env ${file} COMMAND sets a variable)` };
  return { value: { file, args } };
}

const BY_SHELL = 'run it by ["sh", "-c", "…"], or write it as a script';

/** The pieces that words are made of; each alternative is a named group. */
const PIECE =
  /(?<blank>\s+)|'(?<single>[^']*)'|"(?<double>(?:[^"\\]|\\[\s\S])*)"|\\(?<escaped>[\s\S])|(?<plain>[^\s'"\\|&;<>()$`*?~]+)|(?<other>[\s\S])/g;

function splitWords(text: string): Parsed<readonly string[]> {
  const words: string[] = [];
  let word: string | undefined;
  for (const { groups = {} } of text.matchAll(PIECE)) {
    const { blank, single, double, escaped, plain, other } = groups;
    if (other === "'" || other === '"' || other === '\\') return { mistake: `there is no end to the ${other}` };
    const shell = other ?? double?.match(/(?<!\\)(?:\\\\)*([$`])/)?.[1];
    if (shell !== undefined) return { mistake: `“${shell}” is for a shell, which hooks are run without (${BY_SHELL})` };
    if (blank === undefined) {
      word = (word ?? '') + (single ?? double?.replaceAll(/\\(["\\$`])/g, '$1') ?? escaped ?? plain);
      continue;
    }
    if (word !== undefined) words.push(word);
    word = undefined;
  }
  return { value: word === undefined ? words : [...words, word] };
}
