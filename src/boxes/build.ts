import { mkdir } from 'node:fs/promises';
import { inPhase, type RunContext } from '../context.ts';
import { MissingToolError, VmError } from '../errors.ts';
import { findTool, type HostCommand, run } from '../host/exec.ts';
import { sha256 } from '../host/files.ts';
import type { Box } from './box.ts';
import type { BoxDescription } from './box-file.ts';
import * as commands from './build-commands.ts';
import { BUILD_PATH, type BuildMode, chooseBuildMode, confined } from './build-mode.ts';
import { InstallProgress } from './build-progress.ts';
import { findRecipe, type Recipe } from './recipe.ts';
import { fingerprintOf, stageGuestFiles } from './recipe-files.ts';
import type { BoxStore } from './store.ts';

export interface BuildInput {
  readonly recipesDir: string;
  readonly name: string;
  /** Also where nothing the box is made of has changed: Debian's packages may have. */
  readonly force: boolean;
}

export interface BuildDeps {
  readonly store: BoxStore;
  readonly context: RunContext;
}

/**
 * Makes a box from its recipe, or gives the one that was made from the same inputs. Machines keep the box they stand
 * on: a forced build makes another box beside it.
 * @throws VmError if there is no such recipe, or building fails; nothing is left of the attempt.
 */
export async function buildBox({ recipesDir, name, force }: BuildInput, { store, context }: BuildDeps): Promise<Box> {
  const recipe = await findRecipe(recipesDir, name);
  if (recipe === undefined) throw new VmError(`there is no recipe for a box called ${name} in ${recipesDir}`);
  const fingerprint = await fingerprintOf(recipe);
  await using _lock = await lockBuild({ fingerprint, name, purpose: `vm box build ${name}` }, { store, context });
  const existing = force ? undefined : await store.findMadeFrom(fingerprint);
  if (existing !== undefined) return existing;
  const text = 'building it from Debian packages, as its recipe says';
  context.reporter.report({ type: 'message', level: 'info', subject: name, text });
  const build = await prepareBuild(recipe, context);
  await using staging = await store.stage();
  await build.run(commands.buildPaths(staging.dir));
  const description = describe(recipe, fingerprint, await store.has(fingerprint), build.tools);
  // Awaited here: at the end of this function staging folder and lock are given up.
  return await store.commit(staging, description);
}

/** Held while a box with this fingerprint is built; says whom it waits for. */
export function lockBuild(
  { fingerprint, name, purpose }: { readonly fingerprint: string; readonly name: string; readonly purpose: string },
  { store, context }: BuildDeps,
): Promise<AsyncDisposable> {
  const { reporter, signal } = context;
  return store.lock(fingerprint, {
    purpose,
    signal,
    onWait: ({ pid }) =>
      reporter.report({
        type: 'message',
        level: 'info',
        subject: name,
        text: `process ${pid} is building this box: waiting for it`,
      }),
  });
}

interface Build {
  readonly run: (paths: commands.BuildPaths) => Promise<void>;
  readonly tools: Readonly<Record<string, string>>;
}

/** Finds out before anything is made whether this host can make it. */
async function prepareBuild(recipe: Recipe, context: RunContext): Promise<Build> {
  for (const [tool, debianPackage] of Object.entries(commands.BUILD_TOOLS)) {
    if (findTool(tool, BUILD_PATH) === undefined) {
      throw new MissingToolError(tool, { hint: `on Debian and Ubuntu: sudo apt install ${debianPackage}` });
    }
  }
  const mode = await chooseBuildMode(context.signal);
  const tools = {
    mmdebstrap: await versionOf('mmdebstrap', context.signal),
    'qemu-img': await versionOf('qemu-img', context.signal),
  };
  return { tools, run: (paths) => runBuild(recipe, mode, paths, context) };
}

async function runBuild(
  recipe: Recipe,
  mode: BuildMode,
  paths: commands.BuildPaths,
  context: RunContext,
): Promise<void> {
  const env = commands.buildEnvironment(BUILD_PATH, paths);
  const progress = new InstallProgress();
  const execute = (command: HostCommand, onLine?: (line: string) => void) =>
    run(confined(mode, command), { env, signal: context.signal, ...(onLine && { onLine }) });
  const phase = (name: string, work: () => Promise<unknown>) => inPhase(context, recipe.name, name, work);

  await mkdir(paths.tempDir, { recursive: true });
  await phase('install packages', () =>
    execute(commands.installPackages(recipe, paths), (line) => {
      const text = progress.read(line);
      if (text !== undefined) context.reporter.report({ type: 'progress', subject: recipe.name, text });
    }),
  );
  await phase('customise', async () => {
    await stageGuestFiles(recipe, paths.filesDir);
    await execute(commands.assemble(recipe, paths));
  });
  await phase('make disk', async () => {
    await execute(commands.makeFilesystem(recipe, paths));
    await execute(commands.makeImage(paths));
    await execute(commands.removeFolder(paths.workDir));
  });
}

/** The first box made of some inputs is named by them; one that was forced beside it gets a key of its own. */
function describe(
  recipe: Recipe,
  fingerprint: string,
  isTaken: boolean,
  builtWith: Readonly<Record<string, string>>,
): BoxDescription {
  const { name, version, arch, seed, user, disk, command_line } = recipe;
  const createdAt = new Date().toISOString();
  return {
    key: isTaken ? sha256(`${fingerprint} ${createdAt}`) : fingerprint,
    fingerprint,
    name,
    version,
    arch,
    seed,
    user,
    virtualSizeBytes: disk,
    commandLine: command_line,
    source: `built from the recipe ${name}`,
    builtWith,
    createdAt,
  };
}

async function versionOf(tool: string, signal: AbortSignal): Promise<string> {
  const { stdout } = await run({ file: tool, args: ['--version'] }, { signal, env: { PATH: BUILD_PATH } });
  return /\d+\.[\d.]+/.exec(stdout)?.[0] ?? 'unknown';
}
