import type { ProcessIdentity } from '../host/processes.ts';
import type { DiskFormat, PortProtocol, ProviderName, ReplicaSpec } from '../machinefile/spec.ts';
import type { ConnectedNic } from './nics.ts';

/** The number of the stored format; a change of the shape below raises it and reads the old one. */
export const RECORD_FORMAT = 1;

/** The facts of a machine that cannot be derived again. What can be observed is not here. */
export interface MachineRecord {
  readonly format: typeof RECORD_FORMAT;
  /** UUID; on the hypervisor's command line, so that its process can be recognised. */
  readonly id: string;
  readonly project: string;
  readonly machine: string;
  /** Which replica it was when it was last created or started; absent: none. */
  readonly replica?: ReplicaSpec | undefined;
  /** The machine of the Machinefile that it was cloned from; absent: none. So a clone is known as long as it exists. */
  readonly cloneOf?: string | undefined;
  readonly provider: ProviderName;
  /** ISO 8601. */
  readonly createdAt: string;
  /**
   * The settings that are taken up once, when it is made or first boots, as text, by their name in the Machinefile.
   * Absent: not known.
   */
  readonly madeWith?: Readonly<Record<string, string>>;
  /** Its hypervisor has run, so that the guest may have taken what it takes but once. Absent: not, or not known. */
  readonly hasBooted?: boolean;
  /** What the disks stand on; absent: an empty disk. */
  readonly box: BoxRecord | undefined;
  /** The id of the layer that its disks stand on, directly but for an unfinished one; absent: on the box's. */
  readonly layer?: string;
  /** The layer between them and that one which is none yet, or was never finished. Absent: none. */
  readonly unfinishedLayer?: string;
  /** The layer that its disks are being frozen into; they may stand on it by now. Absent: none. */
  readonly freezing?: { readonly layerId: string };
  /** The id of the snapshot that its disks stand on, which may be hidden. Absent: on none. */
  readonly snapshot?: string | undefined;
  /** The snapshot that its disks are being frozen into; they may stand on it by now. Absent: none. */
  readonly savingSnapshot?: string | undefined;
  /** It has gone back to the snapshot that it stands on, but not all of its disks are in their places. Absent: they are. */
  readonly restoring?: { readonly attempt: string; readonly hasMemory: boolean } | undefined;
  /**
   * Its own disks that were made, also those that the Machinefile does not name any more: one of them that is not there
   * is lost, not to be made again. Absent: none.
   */
  readonly disks?: readonly DiskRecord[];
  readonly ssh: SshRecord;
  /** SSH's first. While a change of them is under way also those that go away by it: no open port is ever missing here. */
  readonly forwards: readonly PortForward[];
  readonly macAddress: string;
  /** Its cards on private networks, as it was last started with; their addresses are kept for it. Absent: none. */
  readonly nics?: readonly ConnectedNic[];
  /** Fingerprint of the names and addresses of other machines that were last written into the guest. */
  readonly hostsFingerprint?: string;
  /** Where its sockets are; the environment may name another folder tomorrow. */
  readonly runtimeDir: string;
  /** What the machine was last started with: `halt` and `reload` warnings go by this, not by the edited file. */
  readonly started: StartRecord | undefined;
  /** The process that was seen to accept a login. Another process, or none, means: not ready. */
  readonly ready: ProcessIdentity | undefined;
  /** It was restored from its memory, and nobody has entered it since to set its clock. */
  readonly isClockBehind?: boolean | undefined;
  /** The process in whose guest its volumes were seen to be mounted; absent: it has none. */
  readonly volumesSeenBy?: ProcessIdentity | undefined;
  /** Fingerprint of the environment last written into the guest. */
  readonly environmentFingerprint: string | undefined;
  /** Fingerprint of the environment in the seed it was last started with: what a guest has once it reboots by itself. */
  readonly seededEnvironment?: string;
  /** Of another machine, to make a box of: what runs in it must not reach whom that has to do with. */
  readonly isCopy?: boolean;
  /** A Vagrant box has been entered and was given its identity. */
  readonly isEntered?: boolean;
  /** cloud-init has done its work of the first boot; absent where nobody had to wait for it. */
  readonly isCloudInitDone?: boolean;
  /** Steps that succeeded, by name. */
  readonly steps: Readonly<Record<string, StepRecord>>;
}

export interface BoxRecord {
  readonly key: string;
  readonly name: string;
  readonly version: string;
  /** How many disks it has after the root disk; absent: none. */
  readonly extraDiskCount?: number;
}

export interface DiskRecord {
  readonly name: string;
  readonly format: DiskFormat;
}

/** How the guest is reached, so that `ssh` works without a readable Machinefile. */
export interface SshRecord {
  readonly hostIp: string;
  readonly port: number;
  readonly user: string;
  /** The user's own key, where the Machinefile names one. */
  readonly privateKeyPath: string | undefined;
  readonly forwardAgent: boolean;
  readonly forwardX11: boolean;
  readonly extraArgs: readonly string[];
}

/** A host port that leads to a guest port. */
export interface PortForward {
  readonly hostIp: string;
  readonly host: number;
  readonly guest: number;
  readonly protocol: PortProtocol;
  /** By `vm port add`, and not by the Machinefile: with a host port that was given, or with one that vm chose. */
  readonly addedAs?: 'given' | 'chosen';
  /** The host port that was asked for, where `auto_correct` replaced it. */
  readonly insteadOf?: number;
}

export interface StartRecord {
  /** ISO 8601. */
  readonly at: string;
  readonly haltTimeoutMs: number;
  /** The settings that only a restart can change, as text, by their name in the Machinefile. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface StepRecord {
  readonly fingerprint: string;
  /** ISO 8601. */
  readonly doneAt: string;
  /** Digests of what the fingerprint is made of, by name, to tell what changed. Absent: not known. */
  readonly parts?: Readonly<Record<string, string>>;
  /** Names of the steps that stood before it when it ran. Absent: not known. */
  readonly after?: readonly string[];
}

/** Observed, never stored. */
export type MachineState = 'not_created' | 'stopped' | 'starting' | 'running' | 'suspended' | 'broken';
