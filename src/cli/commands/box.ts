import { describeSize } from '../../http/progress-text.ts';
import { addBox, build } from '../../operations/box-sources.ts';
import { type BoxUpdate, updateBoxes } from '../../operations/box-update.ts';
import { boxesNamed, listBoxes, pruneBoxes, removeBox, type UsedBox, unusedBoxes } from '../../operations/boxes.ts';
import { totalBytes } from '../../operations/cache/prune.ts';
import { buildFromRecipe } from '../../operations/packaging/build-recipe.ts';
import { type AddOptions, parseBoxToAdd } from '../box-to-add.ts';
import type { CommandDefinition } from '../command.ts';
import { printReady } from './box-ready.ts';
import { boxOutdatedCommand, printRemoteBoxes } from './box-remote.ts';

const boxBuildCommand: CommandDefinition = {
  name: 'box build',
  args: '<recipe>',
  summary: 'build a box: from a recipe that comes with vm, by its name, or from a file of yours',
  group: 'Boxes',
  example: 'vm box build ./app.yaml',
  completes: 'boxes',
  options: [{ flags: '--force', description: 'also if nothing it is made of has changed' }],
  emitsEvents: () => true,
  async run({ args, options, services, output, globals, loadBoxRecipe }) {
    const [recipe = ''] = args;
    const force = options.force === true;
    const box = isFile(recipe)
      ? await buildFromRecipe({ recipe: await loadBoxRecipe(recipe), file: recipe, force }, services)
      : await build(recipe, { force, services });
    return printReady(box, { globals, output });
  },
};

/** Names of boxes have none of these. */
function isFile(recipe: string): boolean {
  return /^(\.{0,2}\/|~)|\.ya?ml$/.test(recipe);
}

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
  example: 'vm box list --remote',
  options: [
    { flags: '--remote', description: 'instead: those that can be had by their names, of recipes and catalogs' },
  ],
  async run(invocation) {
    const { options, services, output, globals } = invocation;
    if (options.remote === true) return printRemoteBoxes(invocation);
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
    else if (!globals.quiet) output.text(`${name} is removed${layersText(removed)}`);
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
  return boxes.map(({ box }) => `${box.name} ${box.version}`).join(', ') + layersText(boxes);
}

/** What goes with boxes. */
function layersText(boxes: readonly UsedBox[]): string {
  const { length } = boxes.flatMap(({ layers }) => layers);
  return length === 0 ? '' : `, with ${length === 1 ? '1 layer' : `${length} layers`}`;
}

function sizeOf(boxes: readonly UsedBox[]): string {
  return describeSize(totalBytes(boxes) + totalBytes(boxes.flatMap(({ layers }) => layers)));
}

export const boxCommands: readonly CommandDefinition[] = [
  boxAddCommand,
  boxBuildCommand,
  boxListCommand,
  boxInfoCommand,
  boxUpdateCommand,
  boxOutdatedCommand,
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
  const { name, version, key, digest, source, arch, user, seed, virtualSizeBytes, extraDisks, parentKey } = box;
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
    extra_disk_bytes: extraDisks.map(({ virtualSizeBytes }) => virtualSizeBytes),
    size_bytes: sizeBytes,
    parent: parentKey ?? null,
    source,
    created_at: createdAt,
    machines: users.map(({ projectDir, machine }) => ({ project: projectDir, machine })),
  };
}

function formatInfo({ machines, extra_disk_bytes, ...facts }: ReturnType<typeof boxDocument>): string {
  const known = Object.entries(facts).filter(([, value]) => value !== null);
  const lines = known.map(([name, value]) => `${name.padEnd(11)} ${value}`);
  const extraDisks = extra_disk_bytes.map((bytes) => `extra_disk  ${bytes}`);
  const users = machines.map(({ project, machine }) => `machine     ${machine} in ${project}`);
  return [...lines, ...extraDisks, ...users].join('\n');
}
