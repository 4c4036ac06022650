import type { HostCommand } from '../host/exec.ts';
import { quoteCommand } from './quoting.ts';

/** One machine, for the system's OpenSSH client. */
export interface OpensshMachine {
  /** What `ssh` calls it; a machine's name has no character that a `Host` pattern gives a meaning. */
  readonly alias: string;
  readonly hostIp: string;
  readonly port: number;
  readonly user: string;
  readonly privateKeyPath: string;
  /** Holds the one line of `knownHostsText(HOST_KEY_ALIAS, …)`. */
  readonly knownHostsPath: string;
  readonly forwardAgent: boolean;
  readonly forwardX11: boolean;
}

/** The name under which a machine's host key stands in its own known_hosts file, whatever its port is today. */
export const HOST_KEY_ALIAS = 'machine';

/**
 * The block that `vm ssh-config` prints for a user's own configuration.
 * Checking is strict, no other key or configuration has a say, and nothing is ever asked.
 */
export function opensshHostBlock(machine: OpensshMachine): string {
  return hostBlock(machine.alias, hostSettings(machine));
}

/**
 * The configuration `vm` itself uses, given by `ssh -F`, which also keeps the user's and the system's out.
 * All of a machine's commands share one connection; its master process ends by itself. Not where an agent or a display is
 * forwarded: the master forwards those of the command that it was started by, which may be gone when the next one comes.
 */
export function opensshConfig(machine: OpensshMachine, controlPath: string): string {
  const isShared = !machine.forwardAgent && !machine.forwardX11;
  return hostBlock(machine.alias, [...hostSettings(machine), ...(isShared ? sharingSettings(controlPath) : [])]);
}

function sharingSettings(controlPath: string): readonly Setting[] {
  return [
    ['ControlMaster', 'auto'],
    ['ControlPath', quoteForConfig(controlPath)],
    ['ControlPersist', '10m'],
  ];
}

type Setting = readonly [name: string, value: string];

function hostSettings(machine: OpensshMachine): readonly Setting[] {
  return [
    ['HostName', machine.hostIp],
    ['Port', String(machine.port)],
    ['User', machine.user],
    ['HostKeyAlias', HOST_KEY_ALIAS],
    ['UserKnownHostsFile', quoteForConfig(machine.knownHostsPath)],
    ['GlobalKnownHostsFile', '/dev/null'],
    ['StrictHostKeyChecking', 'yes'],
    ['UpdateHostKeys', 'no'],
    ['IdentityFile', quoteForConfig(machine.privateKeyPath)],
    ['IdentitiesOnly', 'yes'],
    // `none` also hides the agent from forwarding.
    ...(machine.forwardAgent ? [] : [['IdentityAgent', 'none'] as const]),
    ['PreferredAuthentications', 'publickey'],
    ['PasswordAuthentication', 'no'],
    ['BatchMode', 'yes'],
    // Offered first: OpenSSH's own first choice, which withstands quantum computers, costs an emulated guest 0.2 s more.
    ['KexAlgorithms', '^curve25519-sha256'],
    // Covers the whole handshake, for which an emulated guest under load needs seconds.
    ['ConnectTimeout', '30'],
    // A master whose guest has gone silent gives up after half a minute, and those who wait for it with it.
    ['ServerAliveInterval', '5'],
    ['ServerAliveCountMax', '6'],
    ['ForwardAgent', machine.forwardAgent ? 'yes' : 'no'],
    ['ForwardX11', machine.forwardX11 ? 'yes' : 'no'],
    ['LogLevel', 'ERROR'],
  ];
}

function hostBlock(alias: string, settings: readonly Setting[]): string {
  return [`Host ${alias}`, ...settings.map(([name, value]) => `  ${name} ${value}`), ''].join('\n');
}

/** A path as a value: `%` begins a token (ssh_config(5), TOKENS); spaces end a value. */
function quoteForConfig(path: string): string {
  return `"${path.replaceAll('%', '%%')}"`;
}

/** How a machine is reached once its configuration is written. */
export interface OpensshTarget {
  readonly configPath: string;
  readonly alias: string;
  /** `ssh.extra_args` of the Machinefile. */
  readonly extraArgs: readonly string[];
}

/** `vm ssh`: further arguments may be options of ssh or a command, as after `ssh HOST`. */
export function loginCommand(target: OpensshTarget, args: readonly string[]): HostCommand {
  return { file: 'ssh', args: ['-F', target.configPath, ...target.extraArgs, target.alias, ...args] };
}

/** `vm exec`: runs exactly these words in the guest, on a terminal of its own or with plain pipes. */
export function execCommand(target: OpensshTarget, words: readonly string[], wantsTerminal: boolean): HostCommand {
  const terminal = wantsTerminal ? '-t' : '-T';
  const args = ['-F', target.configPath, terminal, ...target.extraArgs, target.alias, '--', quoteCommand(words)];
  return { file: 'ssh', args };
}

/** The remote shell for rsync's `-e`, which splits it at spaces: the runtime folder's path has none. */
export function rsyncTransport(configPath: string): string {
  return `ssh -F ${configPath}`;
}

/**
 * Ends the master process of a machine's shared connection; fails when there is none.
 * Run before a machine stops and when it starts, so that no command joins a connection to a guest that is gone. A control socket
 * left by a killed master needs nothing: ssh finds nobody at it, removes it and becomes the new master.
 */
export function stopMasterCommand(target: Pick<OpensshTarget, 'configPath' | 'alias'>): HostCommand {
  return { file: 'ssh', args: ['-F', target.configPath, '-O', 'exit', target.alias] };
}
