import type { CommandDefinition } from '../command.ts';
import { boxCommands } from './box.ts';
import { boxRegistryCommands } from './box-registry.ts';
import { cacheCommands } from './cache.ts';
import { cloneCommand } from './clone.ts';
import { completionCommand } from './completion.ts';
import { configCommand } from './config.ts';
import { consoleCommand } from './console.ts';
import { destroyCommand } from './destroy.ts';
import { doctorCommand } from './doctor.ts';
import { execCommand } from './exec.ts';
import { haltCommand } from './halt.ts';
import { initCommand } from './init.ts';
import { listCommand } from './list.ts';
import { logsCommand } from './logs.ts';
import { packageCommand } from './package.ts';
import { planCommand } from './plan.ts';
import { portCommands } from './port.ts';
import { withProfiles } from './project-options.ts';
import { provisionCommand } from './provision.ts';
import { reloadCommand } from './reload.ts';
import { runCommand } from './run.ts';
import { scaleCommand } from './scale.ts';
import { screenshotCommand } from './screenshot.ts';
import { snapshotCommands } from './snapshot.ts';
import { sshCommand } from './ssh.ts';
import { sshConfigCommand } from './ssh-config.ts';
import { statsCommand } from './stats.ts';
import { statusCommand } from './status.ts';
import { resumeCommand, suspendCommand } from './suspend.ts';
import { syncCommand } from './sync.ts';
import { upCommand } from './up.ts';
import { usageCommand } from './usage.ts';
import { validateCommand } from './validate.ts';
import { versionCommand } from './version.ts';
import { volumeCommands } from './volume.ts';

/** Every command, in the order of the help. */
export const commands: readonly CommandDefinition[] = [
  initCommand,
  validateCommand,
  configCommand,
  upCommand,
  planCommand,
  runCommand,
  statusCommand,
  listCommand,
  statsCommand,
  usageCommand,
  haltCommand,
  suspendCommand,
  resumeCommand,
  ...snapshotCommands,
  reloadCommand,
  scaleCommand,
  cloneCommand,
  destroyCommand,
  sshCommand,
  execCommand,
  provisionCommand,
  syncCommand,
  logsCommand,
  consoleCommand,
  screenshotCommand,
  ...portCommands,
  sshConfigCommand,
  ...volumeCommands,
  ...boxCommands,
  ...boxRegistryCommands,
  packageCommand,
  ...cacheCommands,
  doctorCommand,
  completionCommand,
  versionCommand,
].map(withProfiles);
