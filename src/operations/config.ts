import { formatWantedChecksum } from '../http/checksum.ts';
import { literal } from '../machinefile/reading/interpolate.ts';
import type { MachinefileDocument } from '../machinefile/schema.ts';
import type { MachineSettings } from '../machinefile/source.ts';
import type {
  DiskSpec,
  MachineSpec,
  MembershipSpec,
  PortRange,
  PortRangeSpec,
  ProjectSpec,
  SyncSpec,
} from '../machinefile/spec.ts';
import type { StepSpec } from '../machinefile/step-spec.ts';
import { formatDuration, formatSize } from '../machinefile/units.ts';
import { type WrittenMachine, writtenMachines } from './written-machines.ts';

/**
 * The resolved configuration in the Machinefile's own words and units. Written as YAML it loads to the same project:
 * paths are absolute, and dollar signs are doubled where variables would be replaced.
 */
export function config(project: ProjectSpec): MachinefileDocument {
  return {
    name: project.name,
    machines: Object.fromEntries(
      writtenMachines(project).map((written) => [written.spec.name, machineSettings(written)]),
    ),
    ...given('networks', networkSettings(project)),
    ...given('volumes', volumeSettings(project)),
  };
}

function networkSettings({ networks }: ProjectSpec): MachinefileDocument['networks'] {
  if (networks.length === 0) return undefined;
  return Object.fromEntries(
    networks.map(({ name, subnet, subnet6, mtu }) => [
      name,
      {
        ...given('subnet', subnet),
        enable_ipv6: subnet6 !== 'none',
        ...given('subnet6', subnet6 === 'none' ? undefined : subnet6),
        ...given('mtu', mtu),
      },
    ]),
  );
}

function machineSettings({ spec: machine, ports, replicas }: WrittenMachine): MachineSettings {
  const { firmware, accel, display, provider, arch, cpus, autostart, primary, boot } = machine;
  return {
    provider,
    ...given('replicas', replicas),
    ...given('box', boxSettings(machine)),
    cpus,
    memory: formatSize(machine.memoryBytes),
    ...given('disk', machine.diskBytes === undefined ? undefined : formatSize(machine.diskBytes)),
    ...nonEmpty('disks', machine.disks.map(diskSettings)),
    ...nonEmpty(
      'volumes',
      machine.volumes.map(({ name, guestPath }) => literal(`${name}:${guestPath}`)),
    ),
    arch,
    firmware,
    accel,
    ...given('cpu', literal(machine.cpu)),
    ...given('machine', literal(machine.machineType)),
    hostname: machine.hostname,
    display,
    ...given('cdrom', literal(machine.cdromPath)),
    boot: [...boot],
    ...nonEmpty('ports', ports.map(portSettings)),
    ...nonEmpty('networks', machine.networks.map(membershipSettings)),
    ...given('isolated', machine.isIsolated || undefined),
    ...nonEmpty('sync', machine.sync.map(syncSettings)),
    ...given('environment', variables(machine.environment)),
    ...nonEmpty('provision', machine.provision.map(stepSettings)),
    ...given('ssh', sshSettings(machine)),
    ...given('cloud_init', cloudInitSettings(machine)),
    ...given('depends_on', dependencySettings(machine)),
    ...given('healthcheck', healthcheckSettings(machine)),
    autostart,
    primary,
    ...nonEmpty('profiles', machine.profiles),
    ...given('hooks', hookSettings(machine)),
    ...given('warm', machine.isWarm || undefined),
    boot_timeout: formatDuration(machine.bootTimeoutMs),
    halt_timeout: formatDuration(machine.haltTimeoutMs),
    ...given('qemu', machine.qemuArgs.length === 0 ? undefined : { args: machine.qemuArgs.map(literal) }),
    ...given('message', literal(machine.message)),
  };
}

function boxSettings({ box }: MachineSpec): MachineSettings['box'] {
  if (box === undefined) return undefined;
  const version = given('version', box.version?.text);
  if (box.kind === 'name') return { name: box.name, ...version };
  if (box.kind === 'oci') return `oci://${box.reference}`;
  const checksum = given('checksum', box.checksum && literal(formatWantedChecksum(box.checksum)));
  const place = box.kind === 'path' ? { path: literal(box.path) } : { url: literal(box.url) };
  return { ...place, ...version, ...checksum };
}

function volumeSettings({ volumes }: ProjectSpec): MachinefileDocument['volumes'] | undefined {
  if (volumes.length === 0) return undefined;
  return Object.fromEntries(
    volumes.map(({ name, sizeBytes }) => [
      name,
      given('size', sizeBytes === undefined ? undefined : formatSize(sizeBytes)),
    ]),
  );
}

function diskSettings({ name, sizeBytes, format, bus }: DiskSpec) {
  return { name, size: formatSize(sizeBytes), format, bus };
}

function portSettings({ host, guest, hostIp, protocol, autoCorrect }: PortRangeSpec) {
  // Only the short form has ranges, and only the other says what is done about a port in use.
  if ([host, guest].some((range) => range !== undefined && range.first !== range.last)) {
    return `${hostIp}:${host === undefined ? '' : rangeText(host)}:${rangeText(guest)}/${protocol}`;
  }
  return { guest: guest.first, ...given('host', host?.first), host_ip: hostIp, protocol, auto_correct: autoCorrect };
}

function rangeText({ first, last }: PortRange): string {
  return first === last ? String(first) : `${first}-${last}`;
}

function membershipSettings({ network, address, address6, macAddress }: MembershipSpec) {
  return { name: network, ...given('address', address), ...given('address6', address6), ...given('mac', macAddress) };
}

function syncSettings(folder: SyncSpec) {
  return {
    host: literal(folder.hostPath),
    guest: literal(folder.guestPath),
    type: folder.type,
    ...nonEmpty('exclude', folder.exclude.map(literal)),
    delete: folder.delete,
    ...given('owner', literal(folder.owner)),
    ...given('group', literal(folder.group)),
    ...nonEmpty('args', folder.args.map(literal)),
  };
}

function cacheSettings(cache: StepSpec['cache']) {
  if (cache === undefined) return false;
  const { ttlMs, readPaths } = cache;
  if (ttlMs === undefined && readPaths.length === 0) return true;
  return {
    ...given('ttl', ttlMs === undefined ? undefined : formatDuration(ttlMs)),
    ...nonEmpty('reads', readPaths.map(literal)),
  };
}

function stepSettings({ name, run, cache, action }: StepSpec) {
  const { script, args, env, privileged } = action;
  const origin = {
    // A script is the one text in which nothing is replaced.
    ...(script.kind === 'inline' && { inline: script.text }),
    ...(script.kind === 'path' && { path: literal(script.path) }),
    ...(script.kind === 'url' && { url: literal(script.url), checksum: `sha256:${script.sha256}` }),
  };
  const rest = { ...nonEmpty('args', args.map(literal)), ...given('env', variables(env)), privileged };
  return { name: literal(name), run, cache: cacheSettings(cache), shell: { ...origin, ...rest } };
}

function sshSettings({ ssh }: MachineSpec): MachineSettings['ssh'] {
  return {
    ...given('user', ssh.user),
    ...given('port', ssh.port),
    ...given('private_key', literal(ssh.privateKeyPath)),
    forward_agent: ssh.forwardAgent,
    forward_x11: ssh.forwardX11,
    ...nonEmpty('extra_args', ssh.extraArgs.map(literal)),
  };
}

function cloudInitSettings({ cloudInit }: MachineSpec): MachineSettings['cloud_init'] {
  const { userData, networkConfig } = cloudInit;
  if (userData === undefined && networkConfig === undefined) return undefined;
  return { ...given('user_data', literal(userData)), ...given('network_config', literal(networkConfig)) };
}

function dependencySettings({ dependsOn }: MachineSpec): MachineSettings['depends_on'] {
  if (dependsOn.length === 0) return undefined;
  return Object.fromEntries(dependsOn.map(({ name, condition }) => [name, condition]));
}

function healthcheckSettings({ healthcheck }: MachineSpec): MachineSettings['healthcheck'] {
  if (healthcheck === undefined) return undefined;
  const { command, intervalMs, timeoutMs, retries, startPeriodMs } = healthcheck;
  return {
    command: typeof command === 'string' ? literal(command) : command.map(literal),
    interval: formatDuration(intervalMs),
    timeout: formatDuration(timeoutMs),
    retries,
    start_period: formatDuration(startPeriodMs),
  };
}

function hookSettings({ hooks }: MachineSpec): MachineSettings['hooks'] {
  const entries = Object.entries(hooks).map(
    ([name, commands]) => [name, commands.map(({ file, args }) => [file, ...args].map(literal))] as const,
  );
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function variables(values: Readonly<Record<string, string>>): Record<string, string> | undefined {
  const entries = Object.entries(values).map(([name, value]) => [name, literal(value)] as const);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function given<K extends string, T>(key: K, value: T | undefined): { [P in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: T }); // a computed key loses its type
}

function nonEmpty<K extends string, T>(key: K, values: readonly T[]): { [P in K]?: T[] } {
  return given(key, values.length === 0 ? undefined : [...values]);
}
