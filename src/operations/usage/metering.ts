import { DamagedLedgerError } from '../../machine/ledger-store.ts';
import type { MachineRecord } from '../../machine/record.ts';
import { settle, withReading } from '../../machine/usage-folding.ts';
import {
  emptyLedger,
  type GuestNetworkReading,
  type LedgerOwner,
  type RunReading,
  type UsageLedger,
} from '../../machine/usage-ledger.ts';
import { handleOf, type RecordedMachine, type RunFigures } from '../../providers/provider.ts';
import type { LazyGuest } from '../guest.ts';
import { isWorkshop } from '../packaging/workshops-dir.ts';
import type { Project } from '../project.ts';
import type { Services } from '../services.ts';
import { askGuest } from './network-reading.ts';
import { isRunAlive, lastSignOfLife, ownerOf, readingOf } from './run-readings.ts';

/*
 * Keeps the ledgers of what machines use. Nothing of vm stays resident, so whoever holds the machine's lock writes down
 * what it meets. These functions are called with that lock held, may be repeated, and never make a command fail: what
 * cannot be metered is warned of.
 */

/** Settles a run that ended since the last command, before anything of this one covers the traces of its end. */
export function settleEndedRun(project: Project, machine: string, services: Services): Promise<void> {
  return warnIfFailing(machine, services, async () => {
    const record = await project.states.readIfWhole(machine);
    if (record === undefined) return;
    const metered = { id: record.id, name: machine, owner: ownerOf(record, project) };
    const run = (await readLedger(metered, services))?.run;
    if (run === undefined || isRunAlive(run.key)) return;
    const lastSignMs = await lastSignOfLife(project.states.layout(machine));
    await update(metered, services, (ledger) => settle(ledger, { lastSignMs }));
  });
}

/** Writes down what the machine's run has used so far; nothing where it does not run. The guest is asked if it is connected. */
export function meterRun(
  project: Project,
  machine: RecordedMachine,
  { services, guest }: { readonly services: Services; readonly guest?: LazyGuest },
): Promise<void> {
  const { record } = machine;
  return warnIfFailing(record.machine, services, async () => {
    if (isWorkshop(project.projectDir, services.dirs)) return;
    const connected = await guest?.ifConnected();
    const [figures, network] = await Promise.all([
      services.providers[record.provider].meter(handleOf(machine)),
      connected && askGuest(connected, services.signal),
    ]);
    if (figures === undefined) return;
    await writeReading(project, { record, reading: readingOf(record, figures, network) }, services);
  });
}

/** Writes a reading down. Unlike the others this one fails. */
export async function writeReading(
  project: Pick<Project, 'projectDir'>,
  { record, reading }: { readonly record: MachineRecord; readonly reading: RunReading },
  services: Services,
): Promise<void> {
  const metered = { id: record.id, name: record.machine, owner: ownerOf(record, project) };
  await update(metered, services, (ledger) => withReading(ledger, reading));
}

export interface EndedRun {
  /** What was seen of it until its end; undefined where none ran. */
  readonly lastFigures: RunFigures | undefined;
  readonly network: GuestNetworkReading | undefined;
  /** Whether the machine goes with it. */
  readonly isDestroyed: boolean;
}

/** A machine whose record may be damaged. */
export interface EndedMachine {
  readonly id: string;
  readonly name: string;
  readonly record: MachineRecord | undefined;
}

/** Settles the run of a machine that was just stopped. */
export function meterEnd(
  project: Project,
  { id, name, record }: EndedMachine,
  { ended, services }: { readonly ended: EndedRun; readonly services: Services },
): Promise<void> {
  return warnIfFailing(name, services, async () => {
    if (isWorkshop(project.projectDir, services.dirs)) return;
    const { lastFigures, network, isDestroyed } = ended;
    const destroyedAt = isDestroyed ? new Date().toISOString() : undefined;
    await update({ id, name, owner: record && ownerOf(record, project) }, services, (ledger) => {
      const read = lastFigures ? withReading(ledger, readingOf(record, lastFigures, network)) : ledger;
      return { ...settle(read, lastFigures ? 'seen' : { lastSignMs: undefined }), destroyedAt };
    });
  });
}

interface Metered {
  readonly id: string;
  readonly name: string;
  /** Undefined where the record is damaged: the ledger knows it, if there is one. */
  readonly owner: LedgerOwner | undefined;
}

/** Writes the changed ledger, which knows its owner as it is now: a project may be moved. */
async function update(
  { id, name, owner }: Metered,
  services: Services,
  change: (ledger: UsageLedger) => UsageLedger,
): Promise<void> {
  const before = await readLedger({ id, name }, services);
  const ledger = owner === undefined ? before : { ...(before ?? emptyLedger(owner)), ...owner, destroyedAt: undefined };
  if (ledger === undefined) return;
  const after = change(ledger);
  if (JSON.stringify(after) !== JSON.stringify(before)) await services.ledgers.write(after);
}

/** A damaged ledger is kept beside the new one that takes its place: whoever can mend it loses nothing. */
async function readLedger(
  { id, name }: Pick<Metered, 'id' | 'name'>,
  services: Services,
): Promise<UsageLedger | undefined> {
  try {
    return await services.ledgers.read(id);
  } catch (error) {
    if (!(error instanceof DamagedLedgerError)) throw error;
    const asidePath = await services.ledgers.setAside(id);
    warn(name, `what it used until now is in no sum: ${error.message}; it is kept as ${asidePath}`, services);
    return undefined;
  }
}

async function warnIfFailing(machine: string, services: Services, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    warn(machine, `what it uses cannot be written down: ${reason}`, services);
  }
}

function warn(subject: string, text: string, { reporter }: Services): void {
  reporter.report({ type: 'message', level: 'warning', subject, text });
}
