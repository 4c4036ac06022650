import { UsageError } from '../../errors.ts';
import { deleteSnapshot } from '../../operations/snapshots/delete.ts';
import { type ChosenSnapshot, chooseSnapshot, readWords } from '../../operations/snapshots/find.ts';
import { listSnapshots } from '../../operations/snapshots/list.ts';
import { type RestoredSnapshot, restoreSnapshot } from '../../operations/snapshots/restore.ts';
import { type SaveRequest, saveSnapshot } from '../../operations/snapshots/save.ts';
import type { CommandDefinition, Invocation } from '../command.ts';
import { listingDocument, listingText } from '../snapshot-listing.ts';

const saveOptions = [
  { flags: '--no-memory', description: 'of its disks only' },
  { flags: '--description <text>', description: 'shown by list' },
];

const saveCommand: CommandDefinition = {
  name: 'snapshot save',
  args: '[machine] [name]',
  summary: 'keep the state of a machine, with its memory where it runs; one word is a machine, else a name',
  group: 'Machines',
  example: 'vm snapshot save web before-upgrade',
  completes: 'machines',
  options: saveOptions,
  emitsEvents: () => true,
  async run(invocation) {
    const { openProject, args } = invocation;
    return save(invocation, { ...(await readWords(await openProject(), args)), isPushed: false });
  },
};

const pushCommand: CommandDefinition = {
  name: 'snapshot push',
  args: '[machine]',
  summary: 'keep the state of a machine, for pop',
  group: 'Machines',
  example: 'vm snapshot push web',
  completes: 'machines',
  options: saveOptions,
  emitsEvents: () => true,
  run: (invocation) => save(invocation, { machine: invocation.args[0], name: undefined, isPushed: true }),
};

async function save(
  { openProject, options, services, output, globals }: Invocation,
  request: Pick<SaveRequest, 'machine' | 'name' | 'isPushed'>,
): Promise<number> {
  const description = typeof options.description === 'string' ? options.description : undefined;
  const saved = await saveSnapshot(
    await openProject(),
    { ...request, description, takesMemory: options.memory !== false },
    services,
  );
  const { machine, snapshot, parent } = saved;
  const { name, hasMemory } = snapshot;
  if (globals.json) output.json({ type: 'result', machine, snapshot: name, parent: parent ?? null, memory: hasMemory });
  else if (!globals.quiet) {
    output.text(`${machine}: the snapshot ${name} is saved, ${hasMemory ? 'with its memory' : 'of its disks'}`);
  }
  return 0;
}

const restoreCommand: CommandDefinition = {
  name: 'snapshot restore',
  args: '[machine] [name]',
  summary: 'take a machine back to a snapshot, the last one unless named; what happened since is lost',
  group: 'Machines',
  example: 'vm snapshot restore web before-upgrade',
  completes: 'machines',
  emitsEvents: () => true,
  async run(invocation) {
    const project = await invocation.openProject();
    const chosen = await chooseSnapshot(project, await readWords(project, invocation.args));
    return restore(invocation, chosen, false);
  },
};

const popCommand: CommandDefinition = {
  name: 'snapshot pop',
  args: '[machine]',
  summary: 'take a machine back to the snapshot that was pushed last, and delete that',
  group: 'Machines',
  example: 'vm snapshot pop web',
  completes: 'machines',
  options: [{ flags: '--no-delete', description: 'keep the snapshot' }],
  emitsEvents: () => true,
  async run(invocation) {
    const { openProject, args, options } = invocation;
    const chosen = await chooseSnapshot(await openProject(), { machine: args[0], isPushed: true });
    return restore(invocation, chosen, options.delete !== false);
  },
};

const RESTORED: Readonly<Record<RestoredSnapshot['outcome'], string>> = {
  resumed: 'goes on from the snapshot',
  booted: 'is up, started from the disks of the snapshot',
  stopped: 'is stopped, with the disks of the snapshot',
};

async function restore(
  { openProject, services, output, globals, confirm }: Invocation,
  chosen: ChosenSnapshot,
  deletes: boolean,
): Promise<number> {
  const { machine, snapshot } = chosen;
  const question = `Take ${machine} back to the snapshot ${snapshot.name}? What happened in it since its last snapshot is lost.`;
  if (!(await confirm(question))) return 1;
  const { outcome } = await restoreSnapshot(await openProject(), { ...chosen, deletes }, services);
  if (globals.json) output.json({ type: 'result', machine, snapshot: snapshot.name, outcome, deleted: deletes });
  else if (!globals.quiet) output.text(`${machine} ${RESTORED[outcome]} ${snapshot.name}`);
  return 0;
}

const listCommand: CommandDefinition = {
  name: 'snapshot list',
  alias: 'snapshot ls',
  args: '[machine]',
  summary: 'the snapshots of a machine as a tree, and where in it the machine is',
  group: 'Machines',
  example: 'vm snapshot list web --json',
  completes: 'machines',
  async run({ openProject, args, output, globals }) {
    const listing = await listSnapshots(await openProject(), args[0]);
    if (globals.json) output.json(listingDocument(listing));
    else output.text(listingText(listing));
    return 0;
  },
};

const deleteCommand: CommandDefinition = {
  name: 'snapshot delete',
  alias: 'snapshot rm',
  args: '[machine] [name]',
  summary: 'remove a snapshot; machine and other snapshots stay as they are',
  group: 'Machines',
  example: 'vm snapshot delete web before-upgrade',
  completes: 'machines',
  emitsEvents: () => true,
  async run({ openProject, args, services, output, globals, confirm }) {
    const [first, second] = args;
    if (first === undefined) throw new UsageError('name the snapshot', { hint: 'vm snapshot list shows them' });
    const project = await openProject();
    const words = second === undefined ? { machine: undefined, name: first } : { machine: first, name: second };
    const chosen = await chooseSnapshot(project, words);
    const { machine, snapshot } = chosen;
    if (!(await confirm(`Delete the snapshot ${snapshot.name} of ${machine}?`))) return 1;
    await deleteSnapshot(project, chosen, services);
    if (globals.json) output.json({ type: 'result', machine, snapshot: snapshot.name });
    else if (!globals.quiet) output.text(`${machine}: the snapshot ${snapshot.name} is deleted`);
    return 0;
  },
};

export const snapshotCommands: readonly CommandDefinition[] = [
  saveCommand,
  restoreCommand,
  listCommand,
  deleteCommand,
  pushCommand,
  popCommand,
];
