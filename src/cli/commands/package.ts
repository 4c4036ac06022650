import { resolve } from 'node:path';
import { formatOfName, PACKAGE_FORMATS, type PackageFormat } from '../../boxes/packaging/package-format.ts';
import { UsageError } from '../../errors.ts';
import { type Packaged, type PackageTarget, packageMachine } from '../../operations/packaging/package.ts';
import { checkBoxName, checkBoxVersion, FIRST_VERSION } from '../box-naming.ts';
import type { CommandDefinition } from '../command.ts';
import { boxResult, describeReady } from './box-ready.ts';
import { noHooksOption } from './project-options.ts';

interface PackageOptions {
  readonly name?: string;
  readonly version?: string;
  readonly output?: string;
  readonly format?: PackageFormat;
  readonly asIs?: boolean;
}

export const packageCommand: CommandDefinition = {
  name: 'package',
  args: '[machine]',
  summary: 'make a box of a machine, without what is its own: a file for others, or a box in the store',
  group: 'Boxes',
  example: 'vm package web --name team/web --version 1.2.0',
  completes: 'machines',
  options: [
    { flags: '-o, --output <path>', description: 'the file; default: MACHINE.box in this folder' },
    { flags: '--format <format>', description: `${PACKAGE_FORMATS.join(', ')}; default: as the file's name ends` },
    { flags: '--name <name>', description: 'keep it in the store under this name, in place of a file' },
    { flags: '--version <version>', description: 'its version in the store; default: 0' },
    { flags: '--as-is', description: 'keep keys, logs and names of the guest; it is not booted' },
    noHooksOption,
  ],
  emitsEvents: () => true,
  async run({ openProject, args, options, services, output, globals, host }) {
    const given = options as PackageOptions; // as declared above
    const targetFor = targetOf(given, host.cwd);
    const project = await openProject();
    const packaged = await packageMachine(
      project,
      { machine: args[0], targetFor, asIs: given.asIs === true },
      services,
    );
    if (globals.json) output.json({ type: 'result', machine: packaged.machine, ...document(packaged) });
    else if (!globals.quiet) output.text(describe(packaged));
    return 0;
  },
};

/** @throws UsageError for options that contradict each other, or mean nothing. */
function targetOf(options: PackageOptions, cwd: string): (machine: string) => PackageTarget {
  const { output, format, name, version } = options;
  if (name !== undefined) {
    if (output !== undefined || format !== undefined) {
      throw new UsageError('--name keeps the box in the store: --output and --format are for files');
    }
    checkBoxName(name);
    if (version !== undefined) checkBoxVersion(version);
    return () => ({ kind: 'store', name, version: version ?? FIRST_VERSION });
  }
  if (version !== undefined) throw new UsageError('--version is for boxes in the store', { hint: 'give --name, too' });
  const chosen = format ?? (output === undefined ? 'box' : formatOfName(output));
  if (chosen === undefined || !PACKAGE_FORMATS.includes(chosen)) {
    throw new UsageError(
      format === undefined ? `what ${output} is to be is not clear from its name` : `there is no format ${format}`,
      {
        hint: `give --format ${PACKAGE_FORMATS.join(', ')}`,
      },
    );
  }
  return (machine) => ({ kind: 'file', format: chosen, path: resolve(cwd, output ?? `${machine}.${chosen}`) });
}

function document({ result }: Packaged) {
  return result.kind === 'file' ? { path: result.path } : boxResult(result.box);
}

function describe({ result }: Packaged): string {
  return result.kind === 'file' ? result.path : describeReady(result.box);
}
