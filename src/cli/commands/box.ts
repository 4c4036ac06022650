import { boxesNamed, build, listBoxes, removeBox, type UsedBox } from '../../operations/boxes.ts';
import type { CommandDefinition } from '../command.ts';
import { formatBytes } from '../sizes.ts';

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
    if (globals.json) output.json({ type: 'result', name: box.name, version: box.version, key: box.key });
    else if (!globals.quiet) output.text(`${box.name} ${box.version} is ready (${box.key.slice(0, 12)})`);
    return 0;
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

export const boxCommands: readonly CommandDefinition[] = [
  boxBuildCommand,
  boxListCommand,
  boxInfoCommand,
  boxRemoveCommand,
];

function boxRow({ box, sizeBytes, users }: UsedBox): string[] {
  return [
    box.name,
    box.version,
    formatBytes(sizeBytes),
    users.length === 0 ? '-' : String(users.length),
    box.key.slice(0, 12),
  ];
}

/** A box as `--json` prints it. */
function boxDocument({ box, source, createdAt, sizeBytes, users }: UsedBox) {
  const { name, version, key, arch, user, seed, virtualSizeBytes } = box;
  return {
    name,
    version,
    key,
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
