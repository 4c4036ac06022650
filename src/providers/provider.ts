import type { RunContext } from '../context.ts';
import { StateError } from '../errors.ts';
import type { HostCommand } from '../host/exec.ts';
import { type PortAddress, portText } from '../host/port-address.ts';
import type { ProcessIdentity } from '../host/processes.ts';
import type { ForwardChange, OpenPort } from '../machine/forwards.ts';
import type { FreezableDisk, ResetDisk } from '../machine/frozen-disk.ts';
import type { MachineLayout } from '../machine/layout.ts';
import type { MemoryFiles } from '../machine/memory.ts';
import type { MachinePlan } from '../machine/plan.ts';
import type { MachineRecord } from '../machine/record.ts';

export interface PortTakenFacts {
  /** Who has the port, as words that follow “by”. */
  readonly holder?: string | undefined;
  readonly hint?: string | undefined;
}

/** A forwarded host port cannot be had: somebody else has it. */
export class PortTakenError extends StateError {
  readonly address: PortAddress;

  constructor(address: PortAddress, { holder, hint }: PortTakenFacts = {}) {
    super(`host port ${portText(address)} is already in use${holder === undefined ? '' : ` by ${holder}`}`, { hint });
    this.address = address;
  }
}

/** What a provider sees of a machine now. */
export type ObservedState =
  | { readonly kind: 'stopped' }
  /** Its hypervisor runs; whether the guest answers is not the provider's to know. */
  | { readonly kind: 'running'; readonly process: ProcessIdentity }
  /** The hypervisor holds the guest still. */
  | { readonly kind: 'paused'; readonly process: ProcessIdentity; readonly reason: string }
  /** There is no hypervisor, but a memory to go on from; whether it is of use shows when it is restored. */
  | { readonly kind: 'suspended' }
  /** A hypervisor takes that memory, of which nothing is lost if it is stopped by force. */
  | { readonly kind: 'restoring'; readonly process: ProcessIdentity }
  /** It cannot be started as it is. */
  | { readonly kind: 'broken'; readonly reason: string };

/** A machine as recorded, with the place of its files. */
export interface RecordedMachine {
  readonly record: MachineRecord;
  readonly layout: MachineLayout;
}

/** The least that must be known of a machine to stop and remove it, also when its record is damaged. */
export interface MachineHandle {
  readonly id: string;
  readonly name: string;
  readonly layout: MachineLayout;
  readonly runtimeDir: string;
}

export function handleOf({ record, layout }: RecordedMachine): MachineHandle {
  return { id: record.id, name: record.machine, layout, runtimeDir: record.runtimeDir };
}

/** What a run of a machine has used since its hypervisor was started. */
export interface RunFigures {
  readonly process: ProcessIdentity;
  readonly runningMs: number;
  /** Of all processors together, for the guest and for the hypervisor's own work. */
  readonly cpuMs: number;
  /** Of the host's memory, now. */
  readonly memoryBytes: number;
  /** Undefined where the hypervisor did not tell. */
  readonly disk: DiskTraffic | undefined;
}

/** What a guest has moved from and to its drives. */
export interface DiskTraffic {
  readonly readBytes: number;
  readonly writtenBytes: number;
}

/** Runs machines on one kind of hypervisor. Stateless: all it needs is in its arguments. Every method may be repeated. */
export interface Provider {
  /** Before anything is created: @throws MissingToolError or VmError when this host cannot run the plan. */
  check(plan: MachinePlan): Promise<void>;

  /** Makes all of the machine's disks in `plan.layout.machineDir`, which exists and is not yet in its final place. */
  create(plan: MachinePlan, context: RunContext): Promise<void>;

  /** The commands that `create` runs, for `up --dry-run`. Pure. */
  describeCreate(plan: MachinePlan): readonly HostCommand[];

  /**
   * Before each start of a machine, which is stopped: gives its disks the sizes of the plan, and makes its own disks that
   * are new in it. Those of `plan.madeDisks` are never made again.
   * @throws StateError if a disk is gone, damaged, larger than asked for, or in another format.
   */
  ensureDisks(plan: MachinePlan, context: RunContext): Promise<void>;

  /** The commands that make the disks `ensureDisks` makes, and that `start` runs, for `up --dry-run`. Pure. */
  describeStart(plan: MachinePlan): readonly HostCommand[];

  /**
   * Starts a stopped machine and returns once its hypervisor runs. Its disks have been ensured, the seed written.
   * @throws PortTakenError when a forwarded port was taken meanwhile; GuestError with the hypervisor's own words.
   */
  start(plan: MachinePlan, context: RunContext): Promise<ProcessIdentity>;

  /** The ports that a running machine forwards now; undefined where that cannot be seen. */
  forwards(machine: RecordedMachine): Promise<readonly OpenPort[] | undefined>;

  /**
   * Makes a running machine forward these ports and no others, without a restart. Gives what had to be done for it: by what
   * is forwarded now, so that it also finishes what was begun and not ended.
   * @throws PortTakenError when a port is taken, StateError when the hypervisor refuses: the ports are as before then.
   * TimeoutError when it falls silent: any of them may have changed.
   */
  applyForwards(machine: RecordedMachine, wanted: readonly OpenPort[]): Promise<ForwardChange>;

  /**
   * Freezes disks of a machine without stopping it, all at the same instant. What the guest has not written by then is not
   * in them. Must not be called before a freeze that was killed is settled.
   * @throws StateError when the hypervisor refuses: the disks are as before then; TimeoutError when it falls silent: to be
   * settled.
   */
  freezeDisks(machine: RecordedMachine, disks: readonly FreezableDisk[], context: RunContext): Promise<void>;

  /**
   * Makes the empty overlays that are to replace disks of a machine. Its disks stay as they are.
   * @throws VmError if the disk of the host is full: none is left then.
   */
  prepareReset(disks: readonly ResetDisk[], context: RunContext): Promise<void>;

  /** Puts them in the places of the disks of a stopped machine, which are lost. Repeatable, also after it was killed. */
  resetDisks(disks: readonly ResetDisk[]): Promise<void>;

  /** Ends what a `freezeDisks` of these disks that was killed began: all are frozen then, or none. Repeatable. */
  settleFreeze(machine: RecordedMachine, disks: readonly FreezableDisk[]): Promise<'frozen' | 'untouched'>;

  /** Lets a paused machine run on, and its networks know where it is. @throws VmError if it does not run. */
  unpause(machine: RecordedMachine): Promise<void>;

  /**
   * Holds a running machine still and writes its memory, and the state of its devices, into files; what was in them is lost.
   * When it returns they are whole and on the disk, and the machine's own disks are as the guest left them, written to by
   * nobody: then either `stop` it by force, or `removeMemory` and `unpause` it. (Who copies the disks before that may keep
   * the memory with the copies.) Killed at any instant it leaves a paused machine, and a whole memory or none.
   * @throws StateError with the hypervisor's reason, where a device forbids it; VmError if the disk is full: the guest
   * runs on then, and nothing is left.
   */
  saveMemory(machine: RecordedMachine, files: MemoryFiles, context: RunContext): Promise<void>;

  /**
   * Starts a stopped machine from a memory that was saved of it, on the disks that it was saved with. It has what it had
   * then, but for what the record says otherwise: forwarded ports, segments of networks, the runtime folder. Once it is
   * `restored` the memory is known to be whole, and the guest is held still: forget the memory, then `unpause` the machine.
   * The files are only read.
   * @throws as `start`: then, and when it is `refused`, the machine is stopped, and its disks and the memory are as before.
   */
  restoreMemory(machine: RecordedMachine, files: MemoryFiles, context: RunContext): Promise<MemoryRestore>;

  /** What of a machine, and of this host, has to be the same for it to begin with the memory of another, as a text. */
  templateTraits(plan: MachinePlan): Promise<string>;

  /**
   * Starts a new machine, `plan.ram` of which is a copy of a template's, as `start` does, and lets it go on from what
   * `saveMemory` has written of that one. Its guest is told who it is now, and has done what that asks for when it is
   * `restored`. The files are only read.
   * @throws as `start`: then, and when it is `refused`, the machine is stopped; it can be started otherwise.
   */
  startFromTemplate(plan: MachinePlan, waking: Waking, context: RunContext): Promise<MemoryRestore>;

  /**
   * Writes what the screen of a running machine shows to a new PNG file.
   * @throws StateError if it has no screen, or the hypervisor does not answer.
   */
  screenshot(machine: RecordedMachine, path: string): Promise<void>;

  /** Whether somebody uses the serial console, which serves one user at a time; false where that cannot be seen now. */
  isConsoleTaken(machine: RecordedMachine): Promise<boolean>;

  /** Stops it: gracefully first, by force after its time, or by force at once. Returns when no process is left. */
  stop(machine: MachineHandle, options: StopOptions, context: RunContext): Promise<Stopped>;

  /** What its run has used so far; undefined where it does not run. Never waits for a lock. */
  meter(machine: MachineHandle): Promise<RunFigures | undefined>;

  /** Removes what the provider keeps outside the machine's folder: processes, sockets. The machine may be broken. */
  release(machine: MachineHandle, context: RunContext): Promise<void>;

  /** Observed now; never waits for a lock. */
  state(machine: RecordedMachine): Promise<ObservedState>;

  /**
   * A text that changes when the guest sets up its network card; undefined where that cannot be told now. Called five
   * times a second while it boots.
   */
  networkMark(machine: RecordedMachine): Promise<string | undefined>;

  /** What tells that a starting guest will never be ready; undefined while it may. Called between readiness probes. */
  diagnoseBoot(machine: RecordedMachine, process: ProcessIdentity): Promise<string | undefined>;
}

/** A guest that goes on from another's memory. */
export interface Waking {
  readonly memory: MemoryFiles;
  /** The hypervisor runs; the guest does not know yet who it is. */
  onStarted(): Promise<void>;
  /** What it is told on its second serial port. */
  textFor(cards: readonly ChangedCard[]): string;
  /** What it has answered on its console: `ready`, or why not; undefined: nothing yet. */
  answerIn(consoleText: string): string | undefined;
}

/** A network card whose hardware address is not the one that the guest knows. */
export interface ChangedCard {
  readonly from: string;
  readonly to: string;
}

export type MemoryRestore =
  | { readonly kind: 'restored'; readonly process: ProcessIdentity }
  /** It can be of no use here any more. */
  | { readonly kind: 'refused'; readonly reason: string };

export type StopOptions = { readonly force: true } | GracefulStop;

export interface GracefulStop {
  readonly force: false;
  /** How long the guest may take after the power button was pressed. */
  readonly haltTimeoutMs: number;
  /** Asks the guest's own system to power off, for when the power button is not heard. */
  powerOffGuest(): Promise<void>;
}

export interface Stopped {
  readonly outcome: StopOutcome;
  /** What the run had used when it was last seen, a moment before its end; undefined where it was stopped already. */
  readonly lastFigures: RunFigures | undefined;
}

/** Which rung of the ladder ended it. */
export type StopOutcome = 'already_stopped' | 'power_button' | 'guest_poweroff' | 'quit' | 'killed';
