import { describeSize } from '../../http/progress-text.ts';
import { addBox, build } from '../../operations/box-sources.ts';
import { type BoxUpdate, updateBoxes } from '../../operations/box-update.ts';
import { boxesNamed, listBoxes, pruneBoxes, removeBox, type UsedBox, unusedBoxes } from '../../operations/boxes.ts';
import { type AddOptions, parseBoxToAdd } from '../box-to-add.ts';
import type { CommandDefinition } from '../command.ts';
import { printReady } from './box-ready.ts';

const boxBuildCommand: CommandDefinition = {
  name: 'box build',
  args: '<name>',
  summary: 'build a box from its recipe, out of Debian packages',
  group: 'Boxes',
  example: 'vm box build debian/12',
  completes: 'boxes',
  options: [{ flags: '--force', description: 'also if nothing it is made of has changed' }],
  emitsEvents: () => true,
  async run({ args, options, services, output, globals }) {
    const [name = ''] = args;
    const box = await build(name, { force: options.force === true, services });
    return printReady(box, { globals, output });
  },
};

const boxAddCommand: CommandDefinition = {
  name: 'box add',
  args: '<source>',
  summary: 'take a disk image, Vagrant box, OVA or Vagrant catalog into the store, from a path or URL',
  group: 'Boxes',
  example: 'vm box add ./router.vmdk --name team/router --version 1.2.0',
  options: [
    { flags: '--name <name>', description: 'what the box is called; default: as its file or catalog says' },
    { flags: '--version <version>', description: 'its version; of a catalog, the one to choose, or constraints' },
    { flags: '--checksum <checksum>', description: 'what the file must hash to: sha256:HEX or sha512:HEX' },
  ],
  emitsEvents: () => true,
  async run({ args, options, services, output, globals, host }) {
    const { reference, called } = parseBoxToAdd(args[0] ?? '', options as AddOptions, host.cwd); // as declared above
    const box = await addBox(reference, called, services);
    return printReady(box, { globals, output });
  },
};

const boxListCommand: CommandDefinition = {
  name: 'box list',
  summary: 'the boxes on this host, and who uses them',
  group: 'Boxes',
  example: 'vm box list',
  async run({ services, output, globals }) {
    const boxes = await listBoxes(services);
    if (globals.json) output.json(boxes.map(boxDocument));
    else output.table(['BOX', 'VERSION', 'SIZE', 'MACHINES', 'KEY'], boxes.map(boxRow));
    return 0;
  },
};

const boxInfoCommand: CommandDefinition = {
  name: 'box info',
  args: '<name>',
  summary: 'what a box is made of, and who uses it',
  group: 'Boxes',
  example: 'vm box info tiny',
  completes: 'boxes',
  async run({ args, services, output, globals }) {
    const documents = (await boxesNamed(args[0] ?? '', services)).map(boxDocument);
    if (globals.json) output.json(documents);
    else output.text(documents.map(formatInfo).join('\n\n'));
    return 0;
  },
};

const boxRemoveCommand: CommandDefinition = {
  name: 'box remove',
  args: '<name>',
  summary: 'remove a box that no machine stands on',
  group: 'Boxes',
  example: 'vm box remove tiny',
  completes: 'boxes',
  emitsEvents: () => true,
  async run({ args, services, output, globals }) {
    const [name = ''] = args;
    const removed = await removeBox(name, services);
    if (globals.json) output.json({ type: 'result', removed: removed.map(({ box }) => box.key) });
    else if (!globals.quiet) output.text(`${name} is removed`);
    return 0;
  },
};

const boxUpdateCommand: CommandDefinition = {
  name: 'box update',
  args: '[boxes...]',
  summary: 'lock the newest boxes that the Machinefile allows, in Machinefile.lock',
  group: 'Boxes',
  example: 'vm box update debian/12',
  completes: 'boxes',
  emitsEvents: () => true,
  async run({ openProject, args, services, output, globals }) {
    const updates = await updateBoxes(await openProject(), args, services);
    if (globals.json) {
      const boxes = updates.map(({ box, from, to, isNew }) => ({ box, from, to, changed: isNew }));
      output.json({ type: 'result', boxes });
    } else if (!globals.quiet) {
      for (const update of updates) output.text(formatUpdate(update));
    }
    return 0;
  },
};

function formatUpdate({ box, from, to, isNew }: BoxUpdate): string {
  if (!isNew) return `${box} is up to date (${to})`;
  if (from === null) return `${box} is locked at ${to}`;
  return from === to ? `${box} is another ${to} now` : `${box}: ${from} → ${to}`;
}

const boxPruneCommand: CommandDefinition = {
  name: 'box prune',
  summary: 'remove boxes that no machine stands on and a newer one has replaced',
  group: 'Boxes',
  example: 'vm box prune --all',
  options: [{ flags: '--all', description: 'also the newest of each name: all that no machine stands on' }],
  emitsEvents: () => true,
  async run({ options, services, output, globals, confirm }) {
    const unused = await unusedBoxes(options.all === true, services);
    if (unused.length > 0 && !(await confirm(`Remove ${namesOf(unused)}? That frees ${sizeOf(unused)}.`))) return 1;
    const removed = await pruneBoxes(unused, services);
    if (globals.json) output.json({ type: 'result', removed: removed.map(({ box }) => box.key) });
    else if (!globals.quiet)
      output.text(removed.length === 0 ? 'nothing to remove' : `removed ${namesOf(removed)}: ${sizeOf(removed)} freed`);
    return 0;
  },
};

function namesOf(boxes: readonly UsedBox[]): string {
  return boxes.map(({ box }) => `${box.name} ${box.version}`).join(', ');
}

function sizeOf(boxes: readonly UsedBox[]): string {
  return describeSize(boxes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
}

export const boxCommands: readonly CommandDefinition[] = [
  boxAddCommand,
  boxBuildCommand,
  boxListCommand,
  boxInfoCommand,
  boxUpdateCommand,
  boxRemoveCommand,
  boxPruneCommand,
];

function boxRow({ box, sizeBytes, users }: UsedBox): string[] {
  return [
    box.name,
    box.version,
    describeSize(sizeBytes),
    users.length === 0 ? '-' : String(users.length),
    box.key.slice(0, 12),
  ];
}

/** A box as `--json` prints it. */
function boxDocument({ box, createdAt, sizeBytes, users }: UsedBox) {
  const { name, version, key, digest, source, arch, user, seed, virtualSizeBytes } = box;
  return {
    name,
    version,
    key,
    digest,
    arch,
    user,
    seed,
    boot: box.kernel === undefined ? 'firmware' : 'kernel',
    disk_bytes: virtualSizeBytes,
    size_bytes: sizeBytes,
    source,
    created_at: createdAt,
    machines: users.map(({ projectDir, machine }) => ({ project: projectDir, machine })),
  };
}

function formatInfo({ machines, ...facts }: ReturnType<typeof boxDocument>): string {
  const lines = Object.entries(facts).map(([name, value]) => `${name.padEnd(11)} ${value}`);
  const users = machines.map(({ project, machine }) => `machine     ${machine} in ${project}`);
  return [...lines, ...users].join('\n');
}
