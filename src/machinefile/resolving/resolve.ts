import { basename } from 'node:path';
import { UsageError } from '../../errors.ts';
import { dealPorts } from '../forms/ports.ts';
import { machinesOf, type NamedMachine } from '../source.ts';
import type { MachineSpec, ProjectSpec, ProviderName } from '../spec.ts';
import { parseDuration, parseSize } from '../units.ts';
import { type DeclaredMachine, expandReplicas } from './expand-replicas.ts';
import type { ResolveContext } from './resolve-context.ts';
import { resolveMemberships, resolveNetworks, sharesDefaultNetwork } from './resolve-networks.ts';
import { resolveDependencies, resolveHealthcheck } from './resolve-order.ts';
import {
  resolveBox,
  resolveCloudInit,
  resolveDisks,
  resolveHooks,
  resolvePorts,
  resolveSsh,
  resolveSteps,
  resolveSync,
  resolveVolumeMounts,
  textsOf,
} from './resolve-parts.ts';

const DEFAULT_MEMORY_BYTES = 512 * 2 ** 20;
const DEFAULT_BOOT_TIMEOUT_MS = 5 * 60_000;
const DEFAULT_HALT_TIMEOUT_MS = 60_000;

/** Fills defaults and makes units and paths absolute. The source must have passed all checks. */
export function resolveProject(context: ResolveContext): ProjectSpec {
  const { source, projectDir } = context;
  const named = machinesOf(source);
  const sharesDefault = sharesDefaultNetwork(named);
  const expanded = expandReplicas(named.map((machine) => resolveDeclared(context, machine, sharesDefault)));
  return {
    name: source.document.name ?? validProjectName(basename(projectDir)),
    projectDir,
    ...expanded,
    networks: resolveNetworks(source, expanded.machines),
    volumes: Object.entries(source.document.volumes ?? {}).map(([name, volume]) => ({
      name,
      sizeBytes: bytesOf(volume?.size),
    })),
  };
}

/** A folder's name as a project name: `My Shop` is `my-shop`. */
export function validProjectName(folderName: string): string {
  const name = folderName
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{Mn}/gu, '')
    .replaceAll(/[^a-z0-9_-]+/g, '-')
    .replaceAll(/^[-_]+|[-_]+$/g, '')
    .slice(0, 63);
  return name === '' ? 'project' : name;
}

function resolveDeclared(context: ResolveContext, named: NamedMachine, sharesDefault: boolean): DeclaredMachine {
  const { machine, replicas } = named;
  const template = resolveMachine(context, named, sharesDefault);
  const ports = resolvePorts(machine);
  if (machine.replicas === undefined || replicas === undefined) {
    return { ...template, ports: ports.flatMap((range) => dealPorts(range)) };
  }
  return { template, ports, declared: machine.replicas, replicas };
}

/** The machine as it is written, but for its ports, which depend on how many of it there are. */
function resolveMachine(context: ResolveContext, named: NamedMachine, sharesDefault: boolean): MachineSpec {
  const { name, machine } = named;
  return {
    name,
    replica: undefined,
    provider: resolveProvider(context, machine.provider),
    box: resolveBox(context, named),
    cpus: machine.cpus ?? 1,
    memoryBytes: bytesOf(machine.memory) ?? DEFAULT_MEMORY_BYTES,
    diskBytes: bytesOf(machine.disk),
    disks: resolveDisks(machine),
    volumes: resolveVolumeMounts(machine),
    arch: machine.arch ?? context.arch,
    firmware: machine.firmware ?? 'bios',
    accel: machine.accel ?? 'auto',
    cpu: machine.cpu,
    machineType: machine.machine,
    hostname: machine.hostname ?? name,
    display: machine.display ?? 'none',
    cdromPath: machine.cdrom === undefined ? undefined : context.hostPath(machine.cdrom, [...named.path, 'cdrom']),
    // An empty disk falls through to the cdrom; once a system is installed, the disk starts it.
    boot: machine.boot ?? (machine.cdrom === undefined ? ['disk'] : ['disk', 'cdrom']),
    ports: [],
    networks: resolveMemberships(machine, sharesDefault),
    isIsolated: machine.isolated ?? false,
    sync: resolveSync(context, named),
    environment: textsOf(machine.environment),
    provision: resolveSteps(context, named),
    ssh: resolveSsh(context, named),
    cloudInit: resolveCloudInit(context, named),
    dependsOn: resolveDependencies(machine),
    healthcheck: resolveHealthcheck(machine),
    ...resolveChoice(machine),
    hooks: resolveHooks(machine),
    isWarm: machine.warm ?? false,
    bootTimeoutMs: millisecondsOf(machine.boot_timeout) ?? DEFAULT_BOOT_TIMEOUT_MS,
    haltTimeoutMs: millisecondsOf(machine.halt_timeout) ?? DEFAULT_HALT_TIMEOUT_MS,
    qemuArgs: machine.qemu?.args?.map(String) ?? [],
    message: machine.message,
  };
}

/** Which commands mean the machine where none is named. */
function resolveChoice({ autostart = true, primary = false, profiles = [] }: NamedMachine['machine']) {
  return { autostart, primary, profiles };
}

function resolveProvider({ env }: ResolveContext, provider: 'qemu' | 'libvirt' | undefined): ProviderName {
  const name = provider ?? (env.VM_PROVIDER || 'qemu');
  if (name === 'qemu') return name;
  throw new UsageError(
    name === 'libvirt'
      ? 'provider libvirt, given by VM_PROVIDER, is not built yet'
      : `VM_PROVIDER names no provider: “${name}”`,
    { hint: 'unset VM_PROVIDER, or set it to qemu' },
  );
}

function bytesOf(size: string | number | undefined): number | undefined {
  return size === undefined ? undefined : parseSize(size);
}

function millisecondsOf(duration: string | undefined): number | undefined {
  return duration === undefined ? undefined : parseDuration(duration);
}
