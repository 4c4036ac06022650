import type { CommandDefinition } from '../command.ts';
import { withProfiles } from './project-options.ts';

type Load = () => Promise<CommandDefinition | readonly CommandDefinition[]>;

/**
 * The commands by the words that they begin with, in the order of the help. Each is loaded when it is meant: all that they
 * do is far more than one of them needs.
 */
const loaders: Readonly<Record<string, Load>> = {
  init: async () => (await import('./init.ts')).initCommand,
  validate: async () => (await import('./validate.ts')).validateCommand,
  config: async () => (await import('./config.ts')).configCommand,
  up: async () => (await import('./up.ts')).upCommand,
  plan: async () => (await import('./plan.ts')).planCommand,
  run: async () => (await import('./run.ts')).runCommand,
  status: async () => (await import('./status.ts')).statusCommand,
  list: async () => (await import('./list.ts')).listCommand,
  stats: async () => (await import('./stats.ts')).statsCommand,
  usage: async () => (await import('./usage.ts')).usageCommand,
  halt: async () => (await import('./halt.ts')).haltCommand,
  suspend: async () => (await import('./suspend.ts')).suspendCommand,
  resume: async () => (await import('./suspend.ts')).resumeCommand,
  snapshot: async () => (await import('./snapshot.ts')).snapshotCommands,
  reload: async () => (await import('./reload.ts')).reloadCommand,
  scale: async () => (await import('./scale.ts')).scaleCommand,
  clone: async () => (await import('./clone.ts')).cloneCommand,
  destroy: async () => (await import('./destroy.ts')).destroyCommand,
  ssh: async () => (await import('./ssh.ts')).sshCommand,
  exec: async () => (await import('./exec.ts')).execCommand,
  provision: async () => (await import('./provision.ts')).provisionCommand,
  sync: async () => (await import('./sync.ts')).syncCommand,
  logs: async () => (await import('./logs.ts')).logsCommand,
  console: async () => (await import('./console.ts')).consoleCommand,
  screenshot: async () => (await import('./screenshot.ts')).screenshotCommand,
  port: async () => (await import('./port.ts')).portCommands,
  'ssh-config': async () => (await import('./ssh-config.ts')).sshConfigCommand,
  volume: async () => (await import('./volume.ts')).volumeCommands,
  box: async () => [
    ...(await import('./box.ts')).boxCommands,
    ...(await import('./box-registry.ts')).boxRegistryCommands,
  ],
  package: async () => (await import('./package.ts')).packageCommand,
  cache: async () => (await import('./cache.ts')).cacheCommands,
  doctor: async () => (await import('./doctor.ts')).doctorCommand,
  completion: async () => (await import('./completion.ts')).completionCommand,
  version: async () => (await import('./version.ts')).versionCommand,
};

/** Aliases of one word. */
const ALIASES: Readonly<Record<string, string>> = { ps: 'status' };

/** Every command. */
export function loadAllCommands(): Promise<CommandDefinition[]> {
  return loadEach(Object.values(loaders));
}

/** The commands that begin with one of these words. */
export function loadCommands(words: readonly string[]): Promise<CommandDefinition[]> {
  const meant = new Set(words.map((word) => ALIASES[word] ?? word));
  return loadEach(Object.entries(loaders).flatMap(([word, load]) => (meant.has(word) ? [load] : [])));
}

async function loadEach(loads: readonly Load[]): Promise<CommandDefinition[]> {
  const loaded = await Promise.all(loads.map((load) => load()));
  return loaded.flat().map(withProfiles);
}
