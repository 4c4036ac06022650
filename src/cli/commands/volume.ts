import { describeSize } from '../../http/progress-text.ts';
import { listVolumes, removeVolumes, type VolumeStatus, volumesNamed } from '../../operations/volumes/volumes.ts';
import type { CommandDefinition } from '../command.ts';

const volumeListCommand: CommandDefinition = {
  name: 'volume list',
  alias: 'volume ls',
  summary: 'the volumes of this project, and which machines have them',
  group: 'Volumes',
  example: 'vm volume list --json',
  async run({ openProject, services, output, globals }) {
    const volumes = await listVolumes(await openProject(), services);
    if (globals.json) output.json(volumes.map(volumeDocument));
    else output.table(['VOLUME', 'SIZE', 'USED', 'MACHINES', 'ATTACHED', 'CREATED'], volumes.map(volumeRow));
    return 0;
  },
};

const volumeInspectCommand: CommandDefinition = {
  name: 'volume inspect',
  args: '<name>',
  summary: 'where a volume is, its file system, and which machines have it',
  group: 'Volumes',
  example: 'vm volume inspect pgdata',
  completes: 'volumes',
  async run({ openProject, args, services, output, globals }) {
    const [volume] = await volumesNamed(await openProject(), args, services);
    if (volume === undefined) throw new Error('a name gives a volume, or an error');
    const document = inspectDocument(volume);
    if (globals.json) output.json(document);
    else output.text(formatInspection(document));
    return 0;
  },
};

const volumeRemoveCommand: CommandDefinition = {
  name: 'volume rm',
  alias: 'volume remove',
  args: '<names...>',
  summary: 'remove volumes that no running machine has, and what is on them',
  group: 'Volumes',
  example: 'vm volume rm pgdata',
  completes: 'volumes',
  emitsEvents: () => true,
  async run({ openProject, args, services, output, globals, confirm }) {
    const project = await openProject();
    const volumes = await volumesNamed(project, args, services);
    const names = volumes.map(({ name }) => name);
    const what = names.length === 1 ? 'the volume' : 'the volumes';
    if (
      !(await confirm(`Remove ${what} ${names.join(', ')}? What is on ${names.length === 1 ? 'it' : 'them'} is lost.`))
    )
      return 1;
    await removeVolumes(project, names, { purpose: 'vm volume rm', services });
    if (globals.json) output.json({ type: 'result', removed: names });
    else if (!globals.quiet) output.text(`${names.join(', ')} removed`);
    return 0;
  },
};

export const volumeCommands: readonly CommandDefinition[] = [
  volumeListCommand,
  volumeInspectCommand,
  volumeRemoveCommand,
];

function volumeRow({ name, sizeBytes, allocatedBytes, users, attachedTo, createdAt, problem }: VolumeStatus): string[] {
  const machines = users.map(({ machine }) => machine).join(' ');
  return [
    problem === null ? name : `${name} (damaged)`,
    sizeBytes === null ? '-' : describeSize(sizeBytes),
    allocatedBytes === null ? '-' : describeSize(allocatedBytes),
    machines === '' ? 'unused' : machines,
    attachedTo ?? '-',
    createdAt?.slice(0, 'YYYY-MM-DD'.length) ?? '-',
  ];
}

/** A volume as `--json` prints it. */
function volumeDocument({ name, sizeBytes, allocatedBytes, users, attachedTo, createdAt, problem }: VolumeStatus) {
  return {
    volume: name,
    size_bytes: sizeBytes,
    allocated_bytes: allocatedBytes,
    machines: users.map(({ machine }) => machine),
    attached_to: attachedTo,
    created_at: createdAt,
    problem,
  };
}

function inspectDocument(volume: VolumeStatus) {
  const { path, label, uuid, filesystemBytes, users } = volume;
  return {
    ...volumeDocument(volume),
    path,
    filesystem: { type: 'ext4', label, uuid, size_bytes: filesystemBytes },
    mounts: users.map(({ machine, guestPath }) => ({ machine, path: guestPath })),
  };
}

function formatInspection({ filesystem, mounts, machines: _, ...facts }: ReturnType<typeof inspectDocument>): string {
  const { label, uuid } = filesystem;
  const known = Object.entries({ ...facts, filesystem: filesystem.type, label, uuid }).filter(
    ([, value]) => value !== null,
  );
  const lines = known.map(([name, value]) => `${name.padEnd(15)} ${value}`);
  return [...lines, ...mounts.map(({ machine, path }) => `machine         ${machine} at ${path}`)].join('\n');
}
