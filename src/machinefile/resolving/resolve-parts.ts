import { stringify } from 'yaml';
import { pathOfPart } from '../checking/host-files.ts';
import { parseBox } from '../forms/box.ts';
import { hooksOf, parseCommand } from '../forms/command.ts';
import { isMistake, type Parsed } from '../forms/parsed.ts';
import { parsePorts } from '../forms/ports.ts';
import { type StepDocument, stepNameOf } from '../forms/step.ts';
import { parseSync } from '../forms/sync.ts';
import { parseVolume } from '../forms/volume.ts';
import type { DataPath } from '../reading/tree.ts';
import type { MachineSettings, NamedMachine } from '../source.ts';
import type {
  BoxReference,
  CloudInitSpec,
  DiskSpec,
  HooksSpec,
  PortRangeSpec,
  SshSpec,
  SyncSpec,
  VolumeMountSpec,
} from '../spec.ts';
import type { ScriptSource, StepSpec } from '../step-spec.ts';
import { parseDuration, parseSize } from '../units.ts';
import type { ResolveContext } from './resolve-context.ts';

export function resolveBox(context: ResolveContext, { machine, path }: NamedMachine): BoxReference | undefined {
  if (machine.box === undefined) return undefined;
  const box = checked(parseBox(machine.box));
  if (box.kind !== 'path') return box;
  const at = typeof machine.box === 'string' ? ['box'] : ['box', 'path'];
  return { ...box, path: context.hostPath(box.path, [...path, ...at]) };
}

export function resolveDisks({ disks = [] }: MachineSettings): DiskSpec[] {
  return disks.map(({ name, size, format = 'qcow2', bus = 'virtio' }) => {
    const sizeBytes = parseSize(size);
    if (sizeBytes === undefined) throw new Error(`a size passed the checks: ${size}`);
    return { name, sizeBytes, format, bus };
  });
}

export function resolveVolumeMounts({ volumes = [] }: MachineSettings): VolumeMountSpec[] {
  return volumes.map((volume) => checked(parseVolume(volume)));
}

export function resolvePorts({ ports = [] }: MachineSettings): PortRangeSpec[] {
  return ports.map((port) => checked(parsePorts(port)));
}

export function resolveSync(context: ResolveContext, { machine, path }: NamedMachine): SyncSpec[] {
  return (machine.sync ?? []).map((sync, index) => {
    const folder = checked(parseSync(sync));
    const at = [...path, 'sync', index, ...(typeof sync === 'string' ? [] : ['host'])];
    return {
      type: 'rsync',
      hostPath: context.hostPath(folder.host, at),
      guestPath: folder.guest,
      exclude: folder.exclude ?? [],
      delete: folder.delete ?? false,
      owner: folder.owner === undefined ? undefined : String(folder.owner),
      group: folder.group === undefined ? undefined : String(folder.group),
      args: folder.args?.map(String) ?? [],
    };
  });
}

export function resolveSteps(context: ResolveContext, { machine, path }: NamedMachine): StepSpec[] {
  return (machine.provision ?? []).map((step, index) => ({
    name: stepNameOf(step, index),
    run: step.run ?? 'once',
    cache: resolveStepCache(context, step, [...path, 'provision', index, 'cache']),
    action: resolveShell(context, step, [...path, 'provision', index, 'shell']),
  }));
}

function resolveStepCache(context: ResolveContext, { cache = true }: StepDocument, path: DataPath): StepSpec['cache'] {
  if (cache === false) return undefined;
  const { ttl, reads = [] } = cache === true ? {} : cache;
  return {
    ttlMs: ttl === undefined ? undefined : parseDuration(ttl),
    readPaths: reads.map((read, index) => context.hostPath(read, [...path, 'reads', index])),
  };
}

function resolveShell(context: ResolveContext, { shell }: StepDocument, path: DataPath): StepSpec['action'] {
  if (shell === undefined) throw new Error('a step without a script passed the checks');
  const settings = typeof shell === 'string' ? { inline: shell } : shell;
  return {
    type: 'shell',
    script: resolveScript(context, settings, path),
    args: settings.args?.map(String) ?? [],
    env: textsOf(settings.env),
    privileged: settings.privileged ?? true,
  };
}

type ShellSettings = Exclude<NonNullable<StepDocument['shell']>, string>;

function resolveScript(context: ResolveContext, shell: ShellSettings, path: DataPath): ScriptSource {
  if (shell.path !== undefined) return { kind: 'path', path: context.hostPath(shell.path, [...path, 'path']) };
  if (shell.url === undefined) return { kind: 'inline', text: shell.inline ?? '' };
  return { kind: 'url', url: shell.url, sha256: (shell.checksum ?? '').replace('sha256:', '').toLowerCase() };
}

export function resolveSsh(context: ResolveContext, { machine, path }: NamedMachine): SshSpec {
  const { user, port, private_key: key, forward_agent: agent, forward_x11: x11, extra_args: args } = machine.ssh ?? {};
  return {
    user,
    port,
    privateKeyPath: key === undefined ? undefined : context.hostPath(key, [...path, 'ssh', 'private_key']),
    forwardAgent: agent ?? false,
    forwardX11: x11 ?? false,
    extraArgs: args?.map(String) ?? [],
  };
}

/** What cloud-init reads: `yes` and `1:30` must stay the texts that they are in a Machinefile. */
const CLOUD_INIT_YAML = { version: '1.1' } as const;

export function resolveCloudInit(context: ResolveContext, { machine, path }: NamedMachine): CloudInitSpec {
  const { user_data: userData, network_config: networkConfig } = machine.cloud_init ?? {};
  const textOf = (part: string | object | undefined, key: string): string | undefined => {
    const file = pathOfPart(part);
    if (file !== undefined) return wholeLines(context.texts.get(context.hostPath(file, [...path, 'cloud_init', key])));
    return typeof part === 'object' ? stringify(part, CLOUD_INIT_YAML) : wholeLines(part);
  };
  const userText = textOf(userData, 'user_data');
  return {
    userData: typeof userData === 'object' ? `#cloud-config\n${userText}` : userText,
    networkConfig: textOf(networkConfig, 'network_config'),
  };
}

/** With the end of line that makes even a single one a text, not a path, when `vm config` prints it. */
function wholeLines(text: string | undefined): string | undefined {
  return text === undefined || text.endsWith('\n') ? text : `${text}\n`;
}

export function resolveHooks(machine: MachineSettings): HooksSpec {
  return Object.fromEntries(
    hooksOf(machine).map(({ name, commands }) => [name, commands.map((command) => checked(parseCommand(command)))]),
  );
}

export function textsOf(values: Readonly<Record<string, string | number | boolean>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}

function checked<T>(parsed: Parsed<T>): T {
  if (isMistake(parsed)) throw new Error(`passed the checks: ${parsed.mistake}`);
  return parsed.value;
}
