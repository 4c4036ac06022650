import { resolve } from 'node:path';
import { UsageError } from '../errors.ts';
import { type BoxForm, parseBox, placeOf } from '../machinefile/forms/box.ts';
import { isMistake, type Parsed } from '../machinefile/forms/parsed.ts';
import { parseSync } from '../machinefile/forms/sync.ts';
import { literal } from '../machinefile/reading/interpolate.ts';
import type { MachineSettings } from '../machinefile/source.ts';
import { type NewRun, runPrefix } from '../operations/run/new-run.ts';
import type { HostFacts, OptionDefinition } from './command.ts';

/** The options of `vm run`, as they are parsed. */
export interface RunOptions {
  readonly rm?: boolean;
  readonly detach?: boolean;
  readonly name?: string;
  readonly interactive?: boolean;
  readonly tty?: boolean;
  readonly publish?: readonly string[];
  readonly volume?: readonly string[];
  readonly env?: readonly string[];
  /** `--no-network` makes it false. */
  readonly network?: boolean;
  readonly memory?: string;
  readonly cpus?: number;
  readonly workdir?: string;
  readonly warm?: boolean;
}

export const runOptions: readonly OptionDefinition[] = [
  { flags: '--rm', description: 'remove the machine at the end, whatever happens; without it, it is halted and stays' },
  { flags: '-d, --detach', description: 'leave it running, and print its name' },
  { flags: '--name <name>', description: 'what it is called (default: the box and some digits)' },
  { flags: '-i, --interactive', description: 'give the command what comes in by standard input' },
  { flags: '-t, --tty', description: 'give it a terminal, with its input (-it is the same)' },
  {
    flags: '-p, --publish <port>',
    description: 'forward a port: [[host_ip:]host:]guest[/tcp|udp] (repeatable)',
    parse: collect,
  },
  {
    flags: '-v, --volume <paths>',
    description:
      'copy a folder or file into it first, host:guest (repeatable); what the guest changes is not copied back',
    parse: collect,
  },
  {
    flags: '-e, --env <variable>',
    description: 'set a variable: NAME=VALUE, or NAME as it is set here; without # and line ends (repeatable)',
    parse: collect,
  },
  {
    flags: '-w, --workdir <path>',
    description: 'the folder in the guest where the command begins',
    parse: parseWorkdir,
  },
  { flags: '--no-network', description: 'the guest reaches nobody, neither the internet nor this host' },
  { flags: '--memory <size>', description: 'memory, such as 1GiB (default: 512MiB)' },
  { flags: '--warm', description: 'keep its memory, with which later runs like it begin in place of a boot' },
  { flags: '--cpus <n>', description: 'processors (default: 1)', parse: parseCpus },
];

function collect(text: string, previous: unknown): string[] {
  return [...(Array.isArray(previous) ? previous : []), text];
}

function parseWorkdir(text: string): string {
  if (!text.startsWith('/')) throw new UsageError('must be an absolute path in the guest');
  return text;
}

function parseCpus(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new UsageError('must be a number of processors from 1 to 512');
  return Number(text);
}

/** What the machine of a run is to be. What no machine can be is found when its Machinefile is checked. */
export function runMachine(
  boxText: string,
  options: RunOptions,
  host: Pick<HostFacts, 'cwd' | 'env'>,
): Pick<NewRun, 'name' | 'prefix' | 'settings'> {
  const box = checked(parseBox(boxText));
  const settings: MachineSettings = {
    box: boxSetting(box, boxText, host.cwd),
    ...(options.memory !== undefined && { memory: options.memory }),
    ...(options.cpus !== undefined && { cpus: options.cpus }),
    ...(options.network === false && { isolated: true }),
    warm: true,
    ...(options.publish && { ports: [...options.publish] }),
    ...(options.volume && { sync: options.volume.map((text) => syncSetting(text, host.cwd)) }),
    ...(options.env && { environment: Object.fromEntries(options.env.map((text) => variable(text, host.env))) }),
  };
  return { name: options.name, prefix: runPrefix(placeOf(box)), settings };
}

function boxSetting(box: BoxForm, text: string, cwd: string): string {
  return literal(box.kind === 'path' && !box.path.startsWith('~') ? resolve(cwd, box.path) : text);
}

function syncSetting(text: string, cwd: string) {
  const { host, guest } = checked(parseSync(text));
  return { host: literal(host.startsWith('~/') ? host : resolve(cwd, host)), guest: literal(guest) };
}

function variable(text: string, env: HostFacts['env']): [name: string, value: string] {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  const value = equals < 0 ? env[name] : text.slice(equals + 1);
  if (value === undefined)
    throw new UsageError(`the variable ${name} is not set here`, { hint: `give -e ${name}=VALUE` });
  return [name, literal(value)];
}

function checked<T>(parsed: Parsed<T>): T {
  if (isMistake(parsed)) throw new UsageError(parsed.mistake, { hint: 'vm help run' });
  return parsed.value;
}
