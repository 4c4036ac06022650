import type { BoxForm } from './forms/box.ts';

/** What a Machinefile means, after merging, interpolation and defaults: nothing optional that has a default. */
export interface ProjectSpec {
  readonly name: string;
  /** The folder of the first Machinefile; relative paths in `.vm` records start here. */
  readonly projectDir: string;
  /** In the order of the file. */
  readonly machines: readonly MachineSpec[];
}

export type ProviderName = 'qemu';
export type Arch = 'x86_64' | 'aarch64';
export type Firmware = 'bios' | 'uefi';
export type Accelerator = 'kvm' | 'tcg' | 'hvf';
export type Display = 'none' | 'gtk' | 'sdl' | 'vnc';
export type BootDevice = 'disk' | 'cdrom';
export type PortProtocol = 'tcp' | 'udp';

/** One machine: total and provider-neutral. Sizes are bytes, times milliseconds, host paths absolute. */
export interface MachineSpec {
  readonly name: string;
  readonly provider: ProviderName;
  /** Absent only where `cdrom` is given: the machine then starts from an empty disk. */
  readonly box: BoxReference | undefined;
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Virtual size of the root disk; absent: the box's own. */
  readonly diskBytes: number | undefined;
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
  readonly sync: readonly SyncSpec[];
  readonly environment: Readonly<Record<string, string>>;
  readonly provision: readonly StepSpec[];
  readonly ssh: SshSpec;
  readonly cloudInit: CloudInitSpec;
  readonly autostart: boolean;
  readonly primary: boolean;
  readonly bootTimeoutMs: number;
  readonly haltTimeoutMs: number;
  readonly qemuArgs: readonly string[];
  readonly message: string | undefined;
}

/** Where a box comes from, as asked for; paths are absolute. */
export type BoxReference = BoxForm;

export interface PortSpec {
  readonly hostIp: string;
  /** Absent: a free port is chosen when the machine is created, and kept. */
  readonly host: number | undefined;
  readonly guest: number;
  readonly protocol: PortProtocol;
  /** A taken `host` port is replaced by a free one. */
  readonly autoCorrect: boolean;
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

export type RunPolicy = 'once' | 'always' | 'never';

/** One provisioning step. */
export interface StepSpec {
  /** Unique within its machine: as given, or `shell-1` for the first step, a shell step without a name. */
  readonly name: string;
  readonly run: RunPolicy;
  readonly action: StepAction;
}

export type StepAction = ShellStepSpec;

export interface ShellStepSpec {
  readonly type: 'shell';
  readonly script: ScriptSource;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** As root (by sudo where the login user is not root) or as the login user. */
  readonly privileged: boolean;
}

export type ScriptSource =
  | { readonly kind: 'inline'; readonly text: string }
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'url'; readonly url: string; readonly sha256: string };

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

export interface CloudInitSpec {
  /** A `#cloud-config` document or script, added to what vm itself seeds. */
  readonly userData: string | undefined;
  /** Replaces the network configuration that vm seeds. */
  readonly networkConfig: string | undefined;
}
