import { MOST_REPLICAS } from '../replicas.ts';
import {
  argumentList,
  duration,
  hostPath,
  httpUrl,
  resourceName,
  sha256,
  text,
  variables,
  yesOrNo,
} from './scalars.ts';

const command = {
  type: ['string', 'array'],
  title: 'a command: a text, or a list of its words',
  minLength: 1,
  minItems: 1,
  items: argumentList.items,
} as const;

const hook = {
  type: ['string', 'array'],
  title: 'a command, or a list of commands',
  examples: ['./scripts/notify.sh up'],
  minLength: 1,
  items: command,
} as const;

/** Its keys are those of a tool of its own, so they are open. */
const toolStep = { type: ['string', 'object'], title: 'a text or a mapping', minLength: 1 } as const;

const cloudInitPart = {
  type: ['string', 'object'],
  title: 'a path, a text of several lines, or a mapping',
  minLength: 1,
} as const;

const step = {
  type: 'object',
  title: 'a provisioning step',
  additionalProperties: false,
  properties: {
    name: {
      ...text,
      title: 'a name on one line',
      description: 'Unique within the machine. Default: its type and place in the list, such as shell-1.',
      examples: ['postgres'],
      pattern: '^[^\\n\\r,]+$',
    },
    run: {
      type: 'string',
      title: 'a run policy',
      description:
        'once (default): until it succeeded; always: at every `vm up`; never: only when named with --provision-with.',
      enum: ['once', 'always', 'never'],
    },
    cache: {
      type: ['boolean', 'object'],
      title: 'true, false or a mapping',
      description:
        'Whether the disk is kept as it is after this step, so that machines that begin alike need not run it again. Default: true. false: neither this step nor those behind it are kept.',
      examples: ['false', '{ ttl: 7d }'],
      additionalProperties: false,
      properties: {
        ttl: { ...duration, description: 'How long what this step did is good for. Default: for ever.' },
        reads: {
          type: 'array',
          title: 'a list of paths',
          description:
            'Files and folders on the host whose content this step depends on, such as synced ones: when it changes, the step runs again.',
          examples: ['[./src/package.json]'],
          items: hostPath,
        },
      },
    },
    shell: {
      type: ['string', 'object'],
      title: 'a script or a mapping',
      description: 'A script for the guest, as text, or a mapping. Nothing is interpolated in the text: it is shell.',
      examples: ['apt-get install -y nginx', '{ path: ./setup.sh }'],
      minLength: 1,
      additionalProperties: false,
      properties: {
        inline: { ...text, title: 'a script', description: 'The script itself. Nothing is interpolated in it.' },
        path: {
          ...hostPath,
          description: `A script on the host. ${hostPath.description}`,
          examples: ['./provision/web.sh'],
        },
        url: { ...httpUrl, description: 'A script to download; `checksum` is required.' },
        checksum: { ...sha256, description: 'What the script at `url` must hash to.' },
        args: { ...argumentList, description: 'Arguments of the script.', examples: ['[--prod]'] },
        env: { ...variables, description: `Variables of the script. ${variables.description}` },
        privileged: { ...yesOrNo, description: 'Run as root (default: true), or as the login user.' },
      },
    },
    file: { ...toolStep, description: 'Copies a file or folder into the guest.' },
    ansible: { ...toolStep, description: 'Runs an Ansible playbook.' },
    puppet: { ...toolStep, description: 'Applies a Puppet manifest.' },
    docker: { ...toolStep, description: 'Installs Docker and runs containers.' },
    compose: { ...toolStep, description: 'Brings a Compose project up in the guest.' },
  },
} as const;

/** Keys of a machine for what happens in it, and when. */
export const lifecycleKeys = {
  environment: {
    ...variables,
    description: `Variables for every login and provisioning step. ${variables.description}`,
    additionalProperties: {
      ...variables.additionalProperties,
      title: 'a text or a number on one line, without #',
      description: 'The guest reads them as it reads /etc/environment, where # begins a comment even inside quotes.',
      pattern: '^[^#\\u0000-\\u0008\\u000a-\\u001f\\u007f]*$',
    },
  },
  provision: {
    type: 'array',
    title: 'a list of steps',
    description: 'Steps that make the machine what it should be, run in order. Each has one type key.',
    items: step,
  },
  cloud_init: {
    type: 'object',
    title: 'a mapping',
    description: 'Additions to what vm seeds, for boxes that have cloud-init.',
    additionalProperties: false,
    properties: {
      user_data: {
        ...cloudInitPart,
        description: 'User data: a path, the text itself (several lines), or a mapping, which becomes a #cloud-config.',
        examples: ['./user-data.yaml'],
      },
      network_config: {
        ...cloudInitPart,
        description: 'Network configuration, instead of the one vm seeds: a path, the text itself, or a mapping.',
        examples: ['./network-config.yaml'],
      },
    },
  },
  healthcheck: {
    type: 'object',
    title: 'a mapping',
    description:
      'A command that tells whether the machine is healthy, for `vm status` and for machines that wait for it.',
    additionalProperties: false,
    required: ['command'],
    properties: {
      command: {
        type: ['string', 'array'],
        title: 'a command',
        description:
          'Run in the guest by the login user; exit code 0 is healthy. A text is shell, a list is a command and its arguments.',
        examples: ['pg_isready'],
        minLength: 1,
        minItems: 1,
        items: text,
      },
      interval: { ...duration, description: 'Time between two checks. Default: 30s.' },
      timeout: { ...duration, description: 'A check that takes longer has failed. Default: 30s.' },
      retries: {
        type: 'integer',
        title: 'a number from 1',
        description: 'Failures in a row until unhealthy. Default: 3.',
        minimum: 1,
      },
      start_period: { ...duration, description: 'Failures in this time after the start do not count. Default: 0s.' },
    },
  },
  replicas: {
    type: 'integer',
    title: 'a number from 0 to 1000',
    description:
      'How many of this machine: they are called web-1, web-2 and so on, and web means all of them. `vm scale web=3` changes the number. Default: one machine without a number in its name.',
    minimum: 0,
    maximum: MOST_REPLICAS,
  },
  profiles: {
    type: 'array',
    title: 'a list of profiles',
    description:
      'Where it is not named, the machine takes part only while one of these is active: --profile, or the variable VM_PROFILES. Default: none, so that it always does.',
    examples: ['[debug]'],
    items: resourceName,
  },
  hooks: {
    type: 'object',
    title: 'a mapping of moments to commands',
    description:
      'Commands to run on the host, in the folder of the project and without a shell, with VM_MACHINE, VM_SSH_HOST and others. A text is split into words; a list has commands, each a text or a list of words.',
    additionalProperties: false,
    properties: {
      before_up: { ...hook, description: 'At each `vm up` of the machine, before anything is done with it.' },
      after_up: { ...hook, description: 'At each `vm up`, once the machine is up and provisioned.' },
      before_halt: { ...hook, description: 'Before the machine is stopped.' },
      after_halt: { ...hook, description: 'After the machine has stopped.' },
      before_destroy: { ...hook, description: 'Before the machine is destroyed.' },
      after_destroy: { ...hook, description: 'After the machine was destroyed.' },
      before_provision: { ...hook, description: 'Before the first provisioning step, where one is to run.' },
      after_provision: { ...hook, description: 'After the last provisioning step, where one has run.' },
    },
  },
  warm: {
    ...yesOrNo,
    description:
      'Whether a machine that has booted and was provisioned is kept with its memory, so that new ones like it, and replicas of one another, go on from there and need not boot. For our own boxes, such as tiny and debian/12, and those made of them, without volumes. Default: false.',
  },
  boot_timeout: { ...duration, description: 'How long the machine may take to be reachable. Default: 5m.' },
  halt_timeout: {
    ...duration,
    description: 'How long the machine may take to shut down before it is forced. Default: 60s.',
  },
  message: { ...text, description: 'Shown after `vm up`.', examples: ['Open http://localhost:8080'] },
} as const;
