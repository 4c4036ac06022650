import { readFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { BoxStore } from '../boxes/store.ts';
import { waitUntilReady } from '../communicators/ready.ts';
import { connectSsh } from '../communicators/ssh.ts';
import type { Reporter } from '../context.ts';
import type { Problem } from '../errors.ts';
import { startInBackground } from '../host/background.ts';
import { type HostDirs, resolveDirs } from '../host/dirs.ts';
import { LayerStore } from '../layers/layer-store.ts';
import { LedgerStore } from '../machine/ledger-store.ts';
import { MachineIndex } from '../machine/machine-index.ts';
import { RunStore } from '../machine/run-store.ts';
import type { BoxRecipe } from '../machinefile/box-recipe.ts';
import type { Arch } from '../machinefile/spec.ts';
import { openProjectOrRun, openRun } from '../operations/open-project.ts';
import type { Services } from '../operations/services.ts';
import { providers } from '../providers/index.ts';
import { readKvmFacts, resolveAccelerator } from '../providers/qemu/accelerator.ts';
import { hasVde } from '../providers/qemu/vde.ts';
import type { HostFacts, Invocation } from './command.ts';
import { projectChoice } from './commands/project-options.ts';
import { formatProblem } from './failure.ts';
import { streamOutput } from './output.ts';
import type { CommandCall } from './program.ts';
import { confirmOnTerminal } from './prompt.ts';
import { jsonReporter, plainReporter, type TextOptions } from './reporters.ts';
import { TerminalReporter } from './terminal-reporter.ts';

/** The world a command runs in. Dispose it to give the terminal back. */
export interface Composition extends Disposable {
  readonly invocation: Invocation;
}

export interface ComposeInput {
  readonly call: CommandCall;
  /** The folder that holds package.json, boxes/ and templates/. */
  readonly packageDir: string;
  readonly signal: AbortSignal;
}

/** The only place that wires: everything else is handed what it needs. */
export function compose({ call, packageDir, signal }: ComposeInput): Composition {
  const { env } = process;
  const { args, options, rest, globals } = call;
  const { reporter, dispose } = createReporter(call);
  const uid = process.getuid?.() ?? 0;
  const dirs = resolveDirs({ env, userHomeDir: homedir(), tempDir: tmpdir(), uid });
  const boxes = new BoxStore(dirs.homeDir);
  let vde: Promise<boolean> | undefined;
  const services: Services = {
    reporter,
    signal,
    dirs,
    uid,
    arch: hostArch(),
    boxes,
    layers: new LayerStore(dirs.homeDir, boxes),
    recipesDir: join(packageDir, 'boxes'),
    openHttp: async () => (await import('../http/http-client.ts')).openHttpClient({ env }),
    vagrantServerUrl: env.VAGRANT_SERVER_URL || undefined,
    dockerConfigPath: join(env.DOCKER_CONFIG || join(homedir(), '.docker'), 'config.json'),
    index: new MachineIndex(dirs.homeDir),
    ledgers: new LedgerStore(dirs.homeDir),
    providers,
    guests: { connect: connectSsh, waitUntilReady },
    startInBackground: (vmArgs, outputPath) => {
      const command = { file: process.execPath, args: [join(packageDir, 'dist', 'main.cjs'), ...vmArgs] };
      // It is to work on where the folder of the project is removed.
      const { homeDir } = dirs;
      return startInBackground(command, { outputPath, env: { VM_HOME: homeDir }, cwd: homeDir });
    },
    hasVde: () => {
      vde ??= hasVde(hostArch());
      return vde;
    },
    resolveAccelerator: (wanted) => resolveAccelerator(wanted, readKvmFacts()),
  };
  const host = hostFacts(packageDir);
  const output = streamOutput(process.stdout);
  return {
    invocation: {
      args,
      options,
      rest,
      globals,
      services,
      output,
      host,
      ...projectOpeners(call, { host, dirs, reporter }),
      loadBoxRecipe: (file) => loadBoxRecipeHere(file, host, reporter),
      confirm: async (question) =>
        globals.yes || confirmOnTerminal(question, { isInteractive: host.isInteractive, signal }),
    },
    [Symbol.dispose]: dispose,
  };
}

/** Warns of the Machinefile the first time that it is opened. */
function projectOpeners(
  { command, args, options, globals }: CommandCall,
  { host: { cwd, env }, dirs, reporter }: { host: HostFacts; dirs: HostDirs; reporter: Reporter },
): Pick<Invocation, 'openProject' | 'openRun'> {
  const facts = { ...loadingFacts({ cwd, env }), ...projectChoice(options, env), files: globals.files };
  const named = { runs: new RunStore(dirs.homeDir), names: command.completes === 'machines' ? args : [] };
  let hasWarned = false;
  return {
    async openProject(wanted) {
      const input = wanted === undefined ? facts : { ...facts, wanted };
      const { project, warnings } = await openProjectOrRun(input, named);
      if (!hasWarned) reportWarnings(warnings, cwd, reporter);
      hasWarned = true;
      return project;
    },
    openRun: async (name) => (await openRun(facts, named.runs, name)).project,
  };
}

async function loadBoxRecipeHere(file: string, { cwd, env }: HostFacts, reporter: Reporter): Promise<BoxRecipe> {
  const { loadBoxRecipe } = await import('../machinefile/box-recipe.ts');
  const { recipe, warnings } = await loadBoxRecipe(resolve(cwd, file), loadingFacts({ cwd, env }));
  reportWarnings(warnings, cwd, reporter);
  return recipe;
}

function loadingFacts({ cwd, env }: Pick<HostFacts, 'cwd' | 'env'>) {
  return { cwd, env, homeDir: homedir(), platform: process.platform, arch: hostArch() };
}

function reportWarnings(warnings: readonly Problem[], cwd: string, reporter: Reporter): void {
  for (const warning of warnings) {
    reporter.report({ type: 'message', level: 'warning', text: formatProblem(warning, cwd) });
  }
}

function createReporter({ command, options: own, globals }: CommandCall): { reporter: Reporter; dispose: () => void } {
  const { stderr, stdout } = process;
  const nothing = () => {};
  if (globals.json && command.emitsEvents?.(own))
    return { reporter: jsonReporter((line) => void stdout.write(`${line}\n`)), dispose: nothing };
  const color = globals.color && stderr.isTTY && !process.env.NO_COLOR;
  const { quiet, verbose } = globals;
  const options: TextOptions = { quiet, verbose, brief: command.isBrief === true && !verbose, color };
  if (!stderr.isTTY) {
    return { reporter: plainReporter((line) => void stderr.write(`${line}\n`), options), dispose: nothing };
  }
  const terminal = new TerminalReporter(stderr, options);
  return { reporter: terminal, dispose: () => terminal[Symbol.dispose]() };
}

/** QEMU's word for the processor of this host. */
function hostArch(): Arch {
  return process.arch === 'arm64' ? 'aarch64' : 'x86_64';
}

function hostFacts(packageDir: string): HostFacts {
  const { version } = JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8')) as { version: string }; // our own
  return {
    cwd: process.cwd(),
    env: process.env,
    version,
    packageDir,
    isInteractive: process.stdin.isTTY === true && process.stderr.isTTY === true,
  };
}
