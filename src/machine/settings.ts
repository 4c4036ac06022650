import { toWholeSectors } from '../boxes/formats/image-bytes.ts';
import { sha256 } from '../host/files.ts';
import type { DiskSpec, Firmware, MachineSpec, SshSpec } from '../machinefile/spec.ts';
import { addressesOf, type Nic } from './nics.ts';
import type { MachinePlan } from './plan.ts';
import type { MachineRecord } from './record.ts';
import { volumeSetting } from './volume.ts';

/** What has to happen for a changed setting to be true of a machine: see `Setting`. */
export type SettingNeed = 'live' | 'reload' | 'recreate';

/** What the text of a setting is made of. */
export interface SettingFacts extends Pick<MachinePlan, 'spec' | 'box' | 'accel' | 'volumes' | 'forwards'> {
  readonly nics: readonly Nic[];
}

/** A setting that is compared with what the machine was made, or last started, with. */
interface Recorded {
  readonly kind: 'recorded';
  /** Its name in the Machinefile. */
  readonly name: string;
  /** When it is taken up for good; undefined: anew at each start. */
  fixedAt(facts: Pick<SettingFacts, 'box'>): 'creation' | 'first_boot' | undefined;
  text(facts: SettingFacts): string;
  /** Whether a start refuses the change that is otherwise taken up by one. */
  isRefused?(before: string, facts: SettingFacts): boolean;
}

type ObservedSetting = 'box' | 'disk';

/** What a key of a machine means for one that exists. */
type Setting =
  /** It says which machine this is: with another value it is another one. */
  | { readonly kind: 'identity' }
  /** Each command reads it anew when it goes by it, so there is nothing to apply. */
  | { readonly kind: 'read' }
  /** Each step is decided about by itself. */
  | { readonly kind: 'steps' }
  /** The next `up` applies it, also to a machine that runs; who does that compares it. */
  | { readonly kind: 'live'; readonly name: string }
  /** It is compared with what can be observed, or is recorded for other reasons. */
  | { readonly kind: 'observed'; readonly name: ObservedSetting }
  | Recorded;

const identity = { kind: 'identity' } as const;
const read = { kind: 'read' } as const;
const live = <Name extends string>(name: Name) => ({ kind: 'live', name }) as const;
const observed = (name: ObservedSetting) => ({ kind: 'observed', name }) as const;

function atStart(name: string, text: Recorded['text']): Recorded {
  return { kind: 'recorded', name, fixedAt: () => undefined, text };
}

function atCreation(name: string, text: Recorded['text']): Recorded {
  return { kind: 'recorded', name, fixedAt: () => 'creation', text };
}

/** Whether the login user and the key that may log in are the guest's for good. Our own boxes take them at each boot. */
export function isLoginFixed({ box }: Pick<SettingFacts, 'box'>): boolean {
  return box?.seed === 'cloud-init' || box?.seed === 'vagrant';
}

function ofLogin(name: string, text: Recorded['text']): Recorded {
  return { kind: 'recorded', name, fixedAt: (facts) => (isLoginFixed(facts) ? 'first_boot' : undefined), text };
}

/** A Vagrant box is told its name when it is entered, and never again. */
const hostname: Recorded = {
  kind: 'recorded',
  name: 'hostname',
  fixedAt: ({ box }) => (box?.seed === 'vagrant' ? 'first_boot' : undefined),
  text: ({ spec }) => spec.hostname,
};

const cloudInit: Recorded = {
  kind: 'recorded',
  name: 'cloud_init',
  fixedAt: () => 'first_boot',
  // It may hold secrets.
  text: ({ spec }) => sha256(JSON.stringify(spec.cloudInit)),
};

const disks: Recorded = {
  ...atStart('disks', ({ spec }) => JSON.stringify(spec.disks)),
  isRefused(before, { spec }) {
    const made = JSON.parse(before) as readonly DiskSpec[]; // written by `text`
    return spec.disks.some((disk) => {
      const old = made.find(({ name }) => name === disk.name);
      return old !== undefined && (old.format !== disk.format || old.sizeBytes > disk.sizeBytes);
    });
  },
};

/**
 * Every key of a machine, and of its `ssh`. Nothing that is edited in a Machinefile is passed over in silence: a key
 * without a row does not compile. The order is that in which changes are told.
 */
const SETTINGS = {
  name: identity,
  replica: identity,
  cloneOf: identity,
  provider: atCreation('provider', ({ spec }) => spec.provider),
  box: observed('box'),
  cpus: atStart('cpus', ({ spec }) => String(spec.cpus)),
  memoryBytes: atStart('memory', ({ spec }) => String(spec.memoryBytes)),
  diskBytes: observed('disk'),
  disks,
  volumes: atStart('volumes', ({ volumes }) => volumeSetting(volumes)),
  arch: atCreation('arch', ({ spec }) => spec.arch),
  firmware: atCreation('firmware', ({ spec }) => spec.firmware),
  accel: atStart('accel', ({ accel }) => accel),
  cpu: atStart('cpu', ({ spec }) => spec.cpu ?? ''),
  machineType: atStart('machine', ({ spec }) => spec.machineType ?? ''),
  hostname,
  display: atStart('display', ({ spec }) => spec.display),
  cdromPath: atStart('cdrom', ({ spec }) => spec.cdromPath ?? ''),
  boot: atStart('boot', ({ spec }) => spec.boot.join(',')),
  ports: live('ports'),
  networks: atStart('networks', ({ nics }) =>
    nics.map((nic) => [nic.network, nic.macAddress, ...addressesOf(nic), nic.mtu ?? ''].join(' ')).join(','),
  ),
  isIsolated: atStart('isolated', ({ spec }) => String(spec.isIsolated)),
  // Every `up` copies them.
  sync: read,
  environment: live('environment'),
  provision: { kind: 'steps' },
  ssh: {
    user: ofLogin('ssh.user', ({ spec }) => spec.ssh.user ?? ''),
    port: atStart('ssh.port', ({ spec, forwards }) => String(spec.ssh.port ?? forwards[0]?.host ?? '')),
    privateKeyPath: ofLogin('ssh.private_key', ({ spec }) => spec.ssh.privateKeyPath ?? ''),
    forwardAgent: live('ssh.forward_agent'),
    forwardX11: live('ssh.forward_x11'),
    extraArgs: live('ssh.extra_args'),
  },
  cloudInit,
  dependsOn: read,
  healthcheck: read,
  autostart: read,
  primary: read,
  // Of machines that are made.
  isWarm: read,
  profiles: read,
  hooks: read,
  bootTimeoutMs: read,
  haltTimeoutMs: live('halt_timeout'),
  qemuArgs: atStart('qemu.args', ({ spec }) => JSON.stringify(spec.qemuArgs)),
  message: read,
} as const satisfies { readonly [Key in Exclude<keyof MachineSpec, 'ssh'>]: Setting } & {
  readonly ssh: { readonly [Key in keyof SshSpec]: Setting };
};

type Rows = Omit<typeof SETTINGS, 'ssh'> & (typeof SETTINGS)['ssh'];

/** The settings that `up` applies to a machine that runs, as the Machinefile calls them. */
export type LiveSetting = Extract<Rows[keyof Rows], { readonly kind: 'live' }>['name'];

const ROWS = Object.values(SETTINGS).flatMap((row): readonly Setting[] => ('kind' in row ? [row] : Object.values(row)));
const RECORDED = ROWS.filter((row): row is Recorded => row.kind === 'recorded');

type SettingTexts = Readonly<Record<string, string>>;

/** What a start takes up, as text, by the names in the Machinefile. */
export function restartSettings(facts: SettingFacts): Record<string, string> {
  return textsOf(facts, false);
}

/** What is taken up once, when a machine is made or boots for the first time, as text, by the names in the Machinefile. */
export function fixedSettings(facts: SettingFacts): Record<string, string> {
  return textsOf(facts, true);
}

function textsOf(facts: SettingFacts, isFixed: boolean): Record<string, string> {
  const rows = RECORDED.filter((row) => (row.fixedAt(facts) !== undefined) === isFixed);
  return Object.fromEntries(rows.map((row) => [row.name, row.text(facts)]));
}

/** The names of settings that differ between what was and what the Machinefile says now; what is not known does not. */
export function changedSettings(before: SettingTexts, wanted: SettingTexts): string[] {
  return Object.keys(wanted).filter((name) => name in before && before[name] !== wanted[name]);
}

/** The machine as the Machinefile says it now, but for what it was made with and cannot be started without. */
export function asMade<Spec extends Pick<MachineSpec, 'firmware'>>(
  spec: Spec,
  { madeWith }: Pick<MachineRecord, 'madeWith'>,
): Spec {
  const firmware = madeWith?.firmware as Firmware | undefined; // written by `fixedSettings`
  return { ...spec, firmware: firmware ?? spec.firmware };
}

/** Whether the guest may have taken for good what it takes at its first boot. Older versions did not record it. */
export function hasBooted({ started, madeWith, ...record }: Omit<MadeMachine, 'box'>): boolean {
  return record.hasBooted ?? (started !== undefined && madeWith === undefined);
}

/** A setting that is not true of a machine that exists, since it was edited. */
export interface PendingSetting {
  /** Its name in the Machinefile. */
  readonly setting: string;
  readonly needs: SettingNeed;
  /** A stopped machine cannot be started with it. */
  readonly blocksStart: boolean;
}

type MadeMachine = Pick<MachineRecord, 'box' | 'started' | 'madeWith' | 'hasBooted'>;

export interface PendingFacts extends SettingFacts {
  /** Of the box that the Machinefile means now; `unknown` where that cannot be told. */
  readonly wantedBoxKey: string | undefined | 'unknown';
  /** Of the root disk as it is; absent where it cannot be read. */
  readonly currentDiskBytes: number | undefined;
}

/**
 * What was edited since the machine was made, or started, and waits for more than an `up` while it runs, in the order of
 * the table. Of what older versions did not record nothing is said. Pure.
 */
export function pendingSettings(record: MadeMachine, facts: PendingFacts): PendingSetting[] {
  return ROWS.flatMap((row) => {
    const need = needOf(row, record, facts);
    return need === undefined || !('name' in row) ? [] : [{ setting: row.name, ...need }];
  });
}

type Need = Pick<PendingSetting, 'needs' | 'blocksStart'>;

const RELOAD: Need = { needs: 'reload', blocksStart: false };
const RECREATE: Need = { needs: 'recreate', blocksStart: false };
const REFUSED: Need = { needs: 'recreate', blocksStart: true };

function needOf(row: Setting, record: MadeMachine, facts: PendingFacts): Need | undefined {
  if (row.kind === 'observed') return OBSERVED[row.name](record, facts);
  if (row.kind !== 'recorded') return undefined;
  const fixedAt = row.fixedAt(facts);
  const before = (fixedAt === undefined ? record.started?.settings : record.madeWith)?.[row.name];
  if (before === undefined || before === row.text(facts)) return undefined;
  if (fixedAt === 'creation' || (fixedAt === 'first_boot' && hasBooted(record))) return RECREATE;
  return row.isRefused?.(before, facts) ? REFUSED : RELOAD;
}

const OBSERVED: Readonly<Record<ObservedSetting, (record: MadeMachine, facts: PendingFacts) => Need | undefined>> = {
  box: ({ box }, { wantedBoxKey }) => (wantedBoxKey === 'unknown' || wantedBoxKey === box?.key ? undefined : RECREATE),
  // A disk grows when the machine starts, and never shrinks. Without a size it stays as it is.
  disk(_record, { spec, currentDiskBytes }) {
    if (spec.diskBytes === undefined || currentDiskBytes === undefined) return undefined;
    const wantedBytes = toWholeSectors(spec.diskBytes);
    if (wantedBytes === currentDiskBytes) return undefined;
    return wantedBytes > currentDiskBytes ? RELOAD : REFUSED;
  },
};
