import { statFolder } from '../../host/files.ts';
import type { MachineRecord } from '../../machine/record.ts';
import { StateStore } from '../../machine/state-store.ts';
import { settle, withReading } from '../../machine/usage-folding.ts';
import { emptyLedger, type UsageLedger } from '../../machine/usage-ledger.ts';
import { replicaNumber } from '../../machinefile/replicas.ts';
import { handleOf, type RecordedMachine } from '../../providers/provider.ts';
import { isWorkshop } from '../packaging/workshops-dir.ts';
import { groupNames, listTargets, type Project, type Target } from '../project.ts';
import { selectTargets } from '../select-targets.ts';
import type { Services } from '../services.ts';
import { keepReading } from './keep-reading.ts';
import { askByLogin } from './network-reading.ts';
import { isReady, isRunAlive, lastSignOfLife, ownerOf, readingOf } from './run-readings.ts';
import { type MachineUsage, usageDocument } from './usage-document.ts';

/** What the selected machines of a project have used since their creation; also those that were destroyed. */
export async function usage(
  project: Project,
  patterns: readonly string[],
  services: Services,
): Promise<MachineUsage[]> {
  const targets = await listTargets(project);
  const existing = targets.filter(({ exists }) => exists);
  const machines = existing.map(({ name }) => ({ projectDir: project.projectDir, machine: name }));
  const all = await usageOf(machines, ({ projectDir }) => projectDir === project.projectDir, services);
  return selectUsage(all, patterns, { targets, groups: groupNames(project) });
}

/** The same for every project of this user on this host. */
export async function usageOfHost(patterns: readonly string[], services: Services): Promise<MachineUsage[]> {
  const entries = await services.index.list();
  const machines = entries.filter(({ projectDir }) => !isWorkshop(projectDir, services.dirs));
  return selectUsage(await usageOf(machines, () => true, services), patterns, { targets: [], groups: [] });
}

/** What else may be named than machines that have used something. */
interface Named {
  readonly targets: readonly Target[];
  /** Machines of the Machinefile that have `replicas`. */
  readonly groups: readonly string[];
}

/** @throws UsageError for a pattern that matches nothing. */
function selectUsage(all: readonly MachineUsage[], patterns: readonly string[], named: Named): MachineUsage[] {
  const used = all.map(({ machine, replica_of: of }) => ({
    name: machine,
    spec: undefined,
    replica: of === null ? undefined : { of, number: replicaNumber(machine, of) ?? 0 },
    exists: true,
    isActive: true,
  }));
  const others = named.targets.filter(({ name }) => !all.some(({ machine }) => machine === name));
  const selected = new Set(selectTargets([...used, ...others], patterns, named.groups).map(({ name }) => name));
  return all.filter(({ machine }) => selected.has(machine));
}

interface Place {
  readonly projectDir: string;
  readonly machine: string;
}

async function usageOf(
  machines: readonly Place[],
  isMeant: (ledger: UsageLedger) => boolean,
  services: Services,
): Promise<MachineUsage[]> {
  const { ledgers, failures } = await services.ledgers.list();
  for (const { message, hint } of failures) {
    services.reporter.report({ type: 'message', level: 'warning', text: `${message}; ${hint}` });
  }
  const existing = (await Promise.all(machines.map((place) => usageOfExisting(place, services)))).flat();
  const shown = new Set(existing.map(({ id }) => id));
  const known = new Set((await services.index.list()).map(({ id }) => id));
  const others = ledgers.filter((ledger) => isMeant(ledger) && !shown.has(ledger.id));
  return [...existing, ...others.map((ledger) => usageWithoutRecord(ledger, known.has(ledger.id)))].sort(
    (a, b) =>
      a.project.localeCompare(b.project) ||
      a.machine.localeCompare(b.machine) ||
      a.created_at.localeCompare(b.created_at),
  );
}

/** As its ledger has it, and as it runs now; nothing for one whose record cannot be read. */
async function usageOfExisting({ projectDir, machine }: Place, services: Services): Promise<MachineUsage[]> {
  const states = new StateStore(projectDir);
  const record = await states.readIfWhole(machine);
  if (record === undefined) return [];
  const recorded = { record, layout: states.layout(machine) };
  const { ledger, isRunning } = await currentLedger(recorded, { projectDir, states }, services);
  const files = await statFolder(recorded.layout.machineDir);
  const diskBytes = files.reduce((sum, { blocks }) => sum + blocks * 512, 0);
  return [usageDocument(ledger, { exists: true, isRunning, diskBytes })];
}

/** Of a machine that is destroyed, or whose record is damaged: what was read last. */
function usageWithoutRecord(ledger: UsageLedger, exists: boolean): MachineUsage {
  const isRunning = ledger.run !== undefined && isRunAlive(ledger.run.key);
  const settled = isRunning ? ledger : settle(ledger, { lastSignMs: undefined });
  return usageDocument(settled, { exists, isRunning, diskBytes: 0 });
}

async function currentLedger(
  machine: RecordedMachine,
  project: Pick<Project, 'projectDir' | 'states'>,
  services: Services,
): Promise<{ ledger: UsageLedger; isRunning: boolean }> {
  const { record, layout } = machine;
  const figures = await services.providers[record.provider].meter(handleOf(machine));
  const network = figures && isReady(record, figures) ? await askByLogin(machine, services) : undefined;
  // Read after the process: who stops it in between settles a run that is not counted twice for that.
  const ledger = await ledgerOf(record, project, services);
  if (figures === undefined) {
    return { ledger: settle(ledger, { lastSignMs: await lastSignOfLife(layout) }), isRunning: false };
  }
  const reading = readingOf(record, figures, network);
  await keepReading(project, { record, reading }, services);
  return { ledger: withReading(ledger, reading), isRunning: true };
}

/** One that cannot be read was warned of, with all the others. */
async function ledgerOf(
  record: MachineRecord,
  project: Pick<Project, 'projectDir'>,
  { ledgers }: Services,
): Promise<UsageLedger> {
  const ledger = await ledgers.readIfWhole(record.id);
  return ledger ?? emptyLedger(ownerOf(record, project));
}
