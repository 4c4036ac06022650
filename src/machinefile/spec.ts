import type { HostCommand } from '../host/exec.ts';
import type { BoxForm } from './forms/box.ts';
import type { StepSpec } from './step-spec.ts';

/** What a Machinefile means, after merging, interpolation and defaults: nothing optional that has a default. */
export interface ProjectSpec {
  readonly name: string;
  /** The folder of the first Machinefile; relative paths in `.vm` records start here. */
  readonly projectDir: string;
  /** In the order of the file; of a machine with `replicas`, each of them. */
  readonly machines: readonly MachineSpec[];
  /** The machines with `replicas`, also those that have none. */
  readonly groups: readonly ReplicaGroup[];
  /** Those that are declared, and `default` where machines join it. */
  readonly networks: readonly NetworkSpec[];
  readonly volumes: readonly VolumeSpec[];
}

/** A machine of the Machinefile that there may be several of. */
export interface ReplicaGroup {
  /** The machine as it is written, without a number in its names, and without ports. */
  readonly template: MachineSpec;
  /** Dealt out to the replicas. */
  readonly ports: readonly PortRangeSpec[];
  /** What the Machinefile says. */
  readonly declared: number;
  /** How many there are to be: `vm scale` may have said something else since. */
  readonly replicas: number;
}

/** Which replica of a machine with `replicas` this is. */
export interface ReplicaSpec {
  /** The name in the Machinefile. */
  readonly of: string;
  /** From 1. */
  readonly number: number;
}

/** A private Ethernet segment. */
export interface NetworkSpec {
  readonly name: string;
  /** `10.10.10.0/24`; absent: one is chosen. */
  readonly subnet: string | undefined;
  /** `none`: its machines have IPv4 addresses only; absent: one is chosen. */
  readonly subnet6: string | 'none' | undefined;
  /** Bytes; absent: Ethernet's usual 1500. */
  readonly mtu: number | undefined;
}

/** That a machine joins a network. */
export interface MembershipSpec {
  readonly network: string;
  /** Absent: a free one of the network is chosen and kept. */
  readonly address: string | undefined;
  readonly address6: string | undefined;
  /** Absent: made from the names of project, machine and network. */
  readonly macAddress: string | undefined;
}

export type ProviderName = 'qemu';
export type Arch = 'x86_64' | 'aarch64';
export type Firmware = 'bios' | 'uefi';
export type Accelerator = 'kvm' | 'tcg' | 'hvf';
export type Display = 'none' | 'gtk' | 'sdl' | 'vnc';
export type BootDevice = 'disk' | 'cdrom';
export type PortProtocol = 'tcp' | 'udp';
export type DiskFormat = 'qcow2' | 'raw';
export type DiskBus = 'virtio' | 'scsi' | 'sata' | 'nvme' | 'usb';

/** One machine: total and provider-neutral. Sizes are bytes, times milliseconds, host paths absolute. */
export interface MachineSpec {
  readonly name: string;
  /** Absent: the Machinefile gives it no `replicas`. */
  readonly replica: ReplicaSpec | undefined;
  /** The machine of the Machinefile that it is a clone of. Absent: the Machinefile has it itself. */
  readonly cloneOf?: string | undefined;
  readonly provider: ProviderName;
  /** Absent only where `cdrom` is given: the machine then starts from an empty disk. */
  readonly box: BoxReference | undefined;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Virtual size of the root disk; absent: the box's own. */
  readonly diskBytes: number | undefined;
  /** The machine's own, after the disks of its box. */
  readonly disks: readonly DiskSpec[];
  /** Volumes of the project, each by its own name. */
  readonly volumes: readonly VolumeMountSpec[];
  readonly arch: Arch;
  readonly firmware: Firmware;
  readonly accel: Accelerator | 'auto';
  /** QEMU's name of the CPU model; absent: the best the accelerator offers. */
  readonly cpu: string | undefined;
  /** QEMU's machine type; absent: the provider's choice. */
  readonly machineType: string | undefined;
  readonly hostname: string;
  readonly display: Display;
  readonly cdromPath: string | undefined;
  readonly boot: readonly BootDevice[];
  readonly ports: readonly PortSpec[];
  readonly networks: readonly MembershipSpec[];
  /** The guest reaches nobody but the machines on these networks; forwarded ports lead into it all the same. */
  readonly isIsolated: boolean;
  readonly sync: readonly SyncSpec[];
  readonly environment: Readonly<Record<string, string>>;
  readonly provision: readonly StepSpec[];
  readonly ssh: SshSpec;
  readonly cloudInit: CloudInitSpec;
  readonly dependsOn: readonly DependencySpec[];
  readonly healthcheck: HealthcheckSpec | undefined;
  readonly autostart: boolean;
  readonly primary: boolean;
  /** While none of these is active it takes part only where it is named; empty: it always does. */
  readonly profiles: readonly string[];
  readonly hooks: HooksSpec;
  /** Whether new machines go on from the memory of one that has booted. */
  readonly isWarm: boolean;
  readonly bootTimeoutMs: number;
  readonly haltTimeoutMs: number;
  readonly qemuArgs: readonly string[];
  readonly message: string | undefined;
}

/** Where a box comes from, as asked for; paths are absolute. */
export type BoxReference = BoxForm;

export interface DiskSpec {
  /** Unique within its machine; the serial number by which the guest finds it. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly format: DiskFormat;
  readonly bus: DiskBus;
}

/** A disk that outlives machines, with a file system on it. */
export interface VolumeSpec {
  readonly name: string;
  /** Absent: as large as it is, and of the default size when it is made. */
  readonly sizeBytes: number | undefined;
}

/** Where a machine has a volume. */
export interface VolumeMountSpec {
  readonly name: string;
  /** Absolute, without white space, “:” and “\”. */
  readonly guestPath: string;
}

export interface PortSpec {
  readonly hostIp: string;
  /** Absent: a free port is chosen when the machine is created, and kept. */
  readonly host: number | undefined;
  readonly guest: number;
  readonly protocol: PortProtocol;
  /** A taken `host` port is replaced by a free one. */
  readonly autoCorrect: boolean;
}

/** Both ends are part of it. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** What one entry of `ports` says. There are as many host ports as guest ports, or several times as many, for replicas. */
export interface PortRangeSpec extends Omit<PortSpec, 'host' | 'guest'> {
  readonly host: PortRange | undefined;
  readonly guest: PortRange;
}

export interface SyncSpec {
  readonly type: 'rsync';
  /** A folder on the host. */
  readonly hostPath: string;
  readonly guestPath: string;
  readonly exclude: readonly string[];
  /** Files in the guest that the host does not have are removed. */
  readonly delete: boolean;
  /** Owner in the guest; absent: the login user. */
  readonly owner: string | undefined;
  readonly group: string | undefined;
  /** More arguments for rsync. */
  readonly args: readonly string[];
}

export interface SshSpec {
  /** Absent: the box's own login user. */
  readonly user: string | undefined;
  /** Host port of the forwarded SSH port; absent: a free one is chosen and kept. */
  readonly port: number | undefined;
  /** A key of the user's to log in with instead of one made for the machine; its `.pub` stands beside it. */
  readonly privateKeyPath: string | undefined;
  readonly forwardAgent: boolean;
  readonly forwardX11: boolean;
  /** More arguments for the system's ssh. */
  readonly extraArgs: readonly string[];
}

/**
 * How far another machine must be, each beyond the one before. started: its guest accepts logins; provisioned: its
 * provisioning steps have run; healthy: its health check has passed.
 */
export type DependencyCondition = 'started' | 'provisioned' | 'healthy';

/** A machine that must be there first. */
export interface DependencySpec {
  readonly name: string;
  readonly condition: DependencyCondition;
}

/** How a machine is told to be healthy. All times in milliseconds. */
export interface HealthcheckSpec {
  /** A text is shell, a list is a command and its arguments. */
  readonly command: string | readonly string[];
  readonly intervalMs: number;
  /** For one check. */
  readonly timeoutMs: number;
  /** Failures in a row until the machine is unhealthy. */
  readonly retries: number;
  /** Failures this soon after the machine was started do not count. */
  readonly startPeriodMs: number;
}

/** When commands can be run on the host. */
export type HookName = `${'before' | 'after'}_${'up' | 'halt' | 'destroy' | 'provision'}`;

/** The commands to run one after the other at each moment; a program with a slash begins at the project's folder. */
export type HooksSpec = Readonly<Partial<Record<HookName, readonly HostCommand[]>>>;

export interface CloudInitSpec {
  /** A `#cloud-config` document or script, added to what vm itself seeds. */
  readonly userData: string | undefined;
  /** Replaces the network configuration that vm seeds. */
  readonly networkConfig: string | undefined;
}
