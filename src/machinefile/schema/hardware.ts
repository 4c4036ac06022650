import { checksum, hostPath, httpUrl, size, text, yesOrNo } from './scalars.ts';

/** Keys of a machine that say what it is made of. */
export const hardwareKeys = {
  box: {
    type: ['string', 'object'],
    title: 'a box',
    description:
      'What the disk starts from: a name (debian/12), name@version, a path (beginning with ./, ../, / or ~/) or an http(s):// URL of a disk image, a Vagrant box, an OVA or a Vagrant catalog, oci://registry/repo:tag, or a mapping. Required unless `cdrom` is given.',
    examples: ['debian/12', 'debian/12@1.0', './images/router.qcow2'],
    minLength: 1,
    additionalProperties: false,
    properties: {
      name: {
        ...text,
        title: 'a box name',
        description:
          'The name of a box: of a recipe, of one that was added under it, or on the Vagrant server of VAGRANT_SERVER_URL.',
        examples: ['debian/12'],
        pattern: '^[a-z0-9][a-z0-9._-]*(/[a-z0-9][a-z0-9._-]*)*$',
      },
      version: {
        type: ['string', 'number'],
        title: 'a version',
        description: 'An exact version, or constraints. Taken as it is written: 1.10 is not 1.1. Default: the newest.',
        examples: ['1.2.0', '~> 1.2, < 2'],
        minLength: 1,
      },
      url: { ...httpUrl, description: 'Where to download the box from.', examples: ['https://example.org/app.qcow2'] },
      path: {
        ...hostPath,
        description: 'A disk image, Vagrant box, OVA or Vagrant catalog on the host.',
        examples: ['./images/router.qcow2'],
      },
      checksum: {
        ...checksum,
        description: 'What the file at `url` or `path` must hash to: given, or found in a file such as SHA256SUMS.',
      },
    },
  },
  provider: {
    type: 'string',
    title: 'a provider',
    description: 'What runs the machine. Default: the variable VM_PROVIDER, else qemu.',
    enum: ['qemu', 'libvirt'],
  },
  cpus: {
    type: 'integer',
    title: 'a number of processors from 1 to 512',
    description: 'Virtual processors. Default: 1.',
    minimum: 1,
    maximum: 512,
  },
  memory: { ...size, description: `Memory. ${size.description} Default: 512MiB.` },
  disk: {
    ...size,
    description: `Size of the root disk; partition and filesystem grow on first boot. ${size.description} Default: the box's own size; a smaller one is an error. Required with \`cdrom\` and no \`box\`.`,
    examples: ['20GiB'],
  },
  arch: {
    type: 'string',
    title: 'an architecture',
    description: "The guest's architecture. Default: the host's.",
    enum: ['x86_64', 'aarch64'],
  },
  firmware: { type: 'string', title: 'a firmware', description: 'Default: bios.', enum: ['bios', 'uefi'] },
  accel: {
    type: 'string',
    title: 'an accelerator',
    description: 'auto (default): kvm or hvf where it really works, else tcg, which emulates.',
    enum: ['auto', 'kvm', 'tcg', 'hvf'],
  },
  cpu: {
    ...text,
    title: 'a QEMU CPU model',
    description: 'QEMU CPU model. Default: the best one the accelerator offers.',
    examples: ['host', 'max', 'Skylake-Client'],
  },
  machine: {
    ...text,
    title: 'a QEMU machine type',
    description: 'QEMU machine type. Default: what suits the box, mostly q35.',
    examples: ['q35', 'pc'],
  },
  display: {
    type: 'string',
    title: 'a display',
    description: 'Where the screen is shown. Default: none.',
    enum: ['none', 'gtk', 'sdl', 'vnc'],
  },
  cdrom: {
    ...hostPath,
    description: 'An ISO image on the host, to install a system by hand into an empty `disk`. Not together with `box`.',
    examples: ['./debian-12-netinst.iso'],
  },
  boot: {
    type: 'array',
    title: 'a list of boot devices',
    description: 'Boot order. Default: [disk], with a cdrom [disk, cdrom]: an empty disk falls through to the cdrom.',
    examples: ['[cdrom, disk]'],
    minItems: 1,
    uniqueItems: true,
    items: { type: 'string', title: 'a boot device', enum: ['disk', 'cdrom'] },
  },
  qemu: {
    type: 'object',
    title: 'a mapping',
    description: 'Settings of the QEMU provider.',
    additionalProperties: false,
    properties: {
      args: {
        type: 'array',
        title: 'a list of arguments',
        description: 'More arguments for QEMU, added at the end of its command line.',
        examples: ['[-device, virtio-balloon-pci]'],
        items: { type: ['string', 'number'], title: 'an argument' },
      },
    },
  },
  libvirt: {
    type: 'object',
    title: 'a mapping',
    description: 'Settings of the libvirt provider.',
    additionalProperties: false,
    properties: {
      uri: { ...text, description: 'Connection. Default: qemu:///session.', examples: ['qemu:///system'] },
      pool: { ...text, description: 'Storage pool for disks. Default: default.' },
      network: { ...text, description: 'Network to join. Default: default.' },
      xml: { ...text, description: 'Domain XML to merge into what vm writes.' },
    },
  },
  autostart: { ...yesOrNo, description: '`vm up` without a name starts the machine. Default: true.' },
  primary: {
    ...yesOrNo,
    description: 'The machine that commands for one machine mean when none is named. At most one. Default: false.',
  },
} as const;
