import type { BoxRecipe } from '../machinefile/box-recipe.ts';
import type { WantedReplicas } from '../machinefile/replicas.ts';
import type { Project } from '../operations/project.ts';
import type { Services } from '../operations/services.ts';

export type CommandGroup = 'Project' | 'Machines' | 'Inside a machine' | 'Volumes' | 'Boxes' | 'This host';

/** Options every command takes, before or after its name. */
export interface GlobalOptions {
  readonly files: readonly string[];
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly color: boolean;
  readonly yes: boolean;
}

export interface OptionDefinition {
  /** As commander takes them: `--parallel <n>`. */
  readonly flags: string;
  readonly description: string;
  /** Turns the text into a value, given that of the same option before it. @throws UsageError for one without meaning. */
  parse?(text: string, previous: unknown): unknown;
}

/** A command as a value: the program, the help and the shell completions are made of these. */
export interface CommandDefinition {
  readonly name: string;
  /** Of two words where the name has two. */
  readonly alias?: string;
  /** Positional arguments as commander takes them: `[machines...]`. */
  readonly args?: string;
  readonly summary: string;
  readonly group: CommandGroup;
  readonly example: string;
  readonly options?: readonly OptionDefinition[];
  /** Arguments are completed with: names of machines, of those with replicas, of volumes, of boxes, of layers, or nothing. */
  readonly completes?: 'machines' | 'groups' | 'volumes' | 'boxes' | 'layers' | 'shells';
  /** Takes what follows `--`. */
  readonly takesRest?: boolean;
  /**
   * Whether `--json` prints events, one a line, and the result as the last of them. Otherwise the result is the only
   * document on standard output, and what happens meanwhile is told on standard error.
   */
  emitsEvents?(options: Readonly<Record<string, unknown>>): boolean;
  /** What is done is shown only while it goes on, unless `--verbose` is given: the output is that of somebody else. */
  readonly isBrief?: boolean;
  /** Resolves with the exit code. */
  run(invocation: Invocation): Promise<number>;
}

/** One call of a command, and the world it works in. */
export interface Invocation {
  readonly args: readonly string[];
  /** Parsed options of the command itself, by commander's names. */
  readonly options: Readonly<Record<string, unknown>>;
  /** What followed `--`. */
  readonly rest: readonly string[];
  readonly globals: GlobalOptions;
  readonly services: Services;
  readonly output: Output;
  readonly host: HostFacts;
  /**
   * The project here, or as it would be with these numbers of replicas; its Machinefile may be broken. Where a run of
   * `vm run` is named, and no machine here, its project.
   * @throws UsageError where there is none.
   */
  openProject(wanted?: WantedReplicas): Promise<Project>;
  /** The project of a run. */
  openRun(name: string): Promise<Project>;
  /** A user's recipe for a box, as named on the command line. @throws MachinefileError with every mistake at once. */
  loadBoxRecipe(file: string): Promise<BoxRecipe>;
  /** Asks on the terminal. @throws UsageError where there is none and `--yes` was not given. */
  confirm(question: string): Promise<boolean>;
}

/** What of the process a command may need. */
export interface HostFacts {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** The folder that holds boxes/ and templates/. */
  readonly packageDir: string;
  readonly isInteractive: boolean;
}

/** Standard output: results only. */
export interface Output {
  text(text: string): void;
  bytes(bytes: Uint8Array): void;
  /** The result as one document, in the form `--json` promises. */
  json(value: unknown): void;
  table(header: readonly string[], rows: readonly (readonly string[])[]): void;
}
