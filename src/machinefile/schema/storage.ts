import { argumentList, hostPath, resourceName, size, text, textList, yesOrNo } from './scalars.ts';

const ownerOrGroup = { type: ['string', 'integer'], title: 'a name or a number', minLength: 1, minimum: 0 } as const;

/** As long as the serial number of a disk may be: 20 bytes on virtio, SATA and NVMe. */
const diskName = {
  type: 'string',
  title: 'a disk name of at most 20 lower-case letters, digits, _ and -, beginning with a letter or digit',
  examples: ['scratch'],
  pattern: '^[a-z0-9][a-z0-9_-]{0,19}$',
} as const;

/** Keys of a machine for disks, volumes and folders. */
export const storageKeys = {
  disks: {
    type: 'array',
    title: 'a list of disks',
    description:
      'Extra disks, empty at first, after those of the box. Made once, kept by restarts, destroyed with the machine.',
    examples: ['[{ name: scratch, size: 10GiB }]'],
    items: {
      type: 'object',
      title: 'a disk',
      additionalProperties: false,
      required: ['name', 'size'],
      properties: {
        name: {
          ...diskName,
          description: 'Unique within the machine; also the serial number of the disk: /dev/disk/by-id/virtio-scratch.',
        },
        size: {
          ...size,
          description: `A larger one takes effect at the next start, a smaller one is an error. ${size.description}`,
        },
        format: {
          type: 'string',
          title: 'a disk format',
          description: 'Of the file on the host. Default: qcow2.',
          enum: ['qcow2', 'raw'],
        },
        bus: {
          type: 'string',
          title: 'a bus',
          description: 'How the guest sees the disk, for which it needs a driver. Default: virtio.',
          enum: ['virtio', 'scsi', 'sata', 'nvme', 'usb'],
        },
      },
    },
  },
  volumes: {
    type: 'array',
    title: 'a list of volumes',
    description:
      'Volumes of the project, as volume:/mount/point. Mounted when the machine boots; one running machine at a time.',
    examples: ['["pgdata:/var/lib/postgresql"]'],
    items: {
      type: 'string',
      title: 'volume:/mount/point',
      examples: ['pgdata:/var/lib/postgresql'],
      pattern: '^[a-z0-9][a-z0-9_-]{0,62}:/.*$',
    },
  },
  sync: {
    type: 'array',
    title: 'a list of folders',
    description: 'Folders of the host to have in the guest, as host:guest or mappings. Default: none.',
    examples: ['["./src:/srv/app"]'],
    items: {
      type: ['string', 'object'],
      title: 'a folder to sync',
      description: 'host:guest[:ro], or a mapping.',
      examples: ['./src:/srv/app'],
      pattern: '^[^:]+:[^:]+(:[^:]*)?$',
      additionalProperties: false,
      required: ['host', 'guest'],
      properties: {
        host: { ...hostPath, description: `A folder. ${hostPath.description}`, examples: ['./src'] },
        guest: {
          ...text,
          title: 'an absolute path',
          description: 'An absolute path in the guest.',
          examples: ['/srv/app'],
        },
        type: {
          type: 'string',
          title: 'a way to sync',
          description: 'rsync (default) copies to the guest; 9p and virtiofs share the folder.',
          enum: ['rsync', '9p', 'virtiofs'],
        },
        exclude: {
          ...textList,
          description: 'Patterns that rsync leaves out. `.vm/` always is.',
          examples: ['[node_modules/, "*.log"]'],
        },
        delete: { ...yesOrNo, description: 'Remove files in the guest that the host does not have. Default: false.' },
        owner: { ...ownerOrGroup, description: 'Owner in the guest. Default: the login user.', examples: ['www-data'] },
        group: {
          ...ownerOrGroup,
          description: "Group in the guest. Default: the login user's.",
          examples: ['www-data'],
        },
        args: { ...argumentList, description: 'More arguments for rsync.', examples: ['[--checksum]'] },
        watch: { ...yesOrNo, description: 'Keep syncing while `vm up` runs. Default: false.' },
      },
    },
  },
} as const;

/** The top-level `volumes`. */
export const volumes = {
  type: ['object', 'null'],
  title: 'a mapping of names to volumes',
  description: 'Named volumes: disks with an ext4 file system, made once, which outlive `vm destroy`.',
  propertyNames: resourceName,
  additionalProperties: {
    type: ['object', 'null'],
    title: 'a volume',
    description: 'A disk of its own that outlives the machine.',
    additionalProperties: false,
    properties: {
      size: {
        ...size,
        description: `Default: 10GiB when it is made. A larger one takes effect at the next start, a smaller one is an error. ${size.description}`,
      },
    },
  },
} as const;
