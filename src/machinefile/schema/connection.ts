import { argumentList, hostPath, ipv4, ipv6, machineName, portNumber, resourceName, text, yesOrNo } from './scalars.ts';

/** Keys of a machine that say how it is reached. */
export const connectionKeys = {
  hostname: {
    type: 'string',
    title: 'a host name',
    description: "The guest's host name; that of a replica gets its number. Default: the machine's name.",
    examples: ['web', 'web.example.org'],
    pattern:
      '^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$',
  },
  ports: {
    type: 'array',
    title: 'a list of ports',
    description:
      'Forwarded ports: [[host_ip:]host:]guest[/tcp|udp], ranges such as 8000-8010:9000-9010, or mappings. Without a host port a free one is chosen and kept. vm up changes them while the machine runs. Of a range such as 8080-8089:80 each replica gets the next port.',
    examples: ['["8080:80", "53/udp"]'],
    items: {
      type: ['string', 'integer', 'object'],
      title: 'a port',
      description: '[[host_ip:]host:]guest[/tcp|udp], a range of them, or a mapping.',
      examples: ['8080:80', '0.0.0.0:8080:80', '8000-8010:9000-9010', '53/udp'],
      pattern: '^(([0-9]{1,3}(\\.[0-9]{1,3}){3}:)?([0-9]+(-[0-9]+)?)?:)?[0-9]+(-[0-9]+)?(/(tcp|udp))?$',
      minimum: 1,
      maximum: 65535,
      additionalProperties: false,
      required: ['guest'],
      properties: {
        guest: { ...portNumber, description: 'The port in the guest.' },
        host: { ...portNumber, description: 'The port on the host. Default: a free one is chosen and kept.' },
        host_ip: {
          ...ipv4,
          description: 'The address of the host that listens. Default: 127.0.0.1; 0.0.0.0 opens the port to everybody.',
        },
        protocol: { type: 'string', title: 'a protocol', description: 'Default: tcp.', enum: ['tcp', 'udp'] },
        auto_correct: { ...yesOrNo, description: 'A host port in use is replaced by a free one. Default: false.' },
      },
    },
  },
  networks: {
    type: 'array',
    title: 'a list of networks',
    description:
      'Networks the machine joins, by name or as {name, address, mac}. Several machines and no `networks` anywhere: they share one network `default`.',
    examples: ['[backend]'],
    items: {
      type: ['string', 'object'],
      title: 'the name of a network, or a mapping',
      minLength: 1,
      additionalProperties: false,
      required: ['name'],
      properties: {
        name: { ...resourceName, description: 'A network declared under the top-level `networks`.' },
        address: {
          ...ipv4,
          description: 'A fixed address in the subnet of the network. Default: a free one.',
          examples: ['10.10.10.12'],
        },
        address6: {
          ...ipv6,
          description: 'A fixed IPv6 address in the `subnet6` of the network. Default: a free one, where it has IPv6.',
        },
        mac: {
          type: 'string',
          title: 'a MAC address',
          description: 'Default: made from the names of project, machine and network.',
          examples: ['52:54:00:12:34:56'],
          pattern: '^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$',
        },
      },
    },
  },
  isolated: {
    ...yesOrNo,
    description:
      'The guest reaches nobody but the machines on its `networks`: neither the internet nor this host. vm and forwarded ports still lead into it. Default: false.',
  },
  ssh: {
    type: 'object',
    title: 'a mapping',
    description: 'How vm logs in.',
    additionalProperties: false,
    properties: {
      user: {
        type: 'string',
        title: 'a user name',
        description:
          "The login user. Default: the box's own. A guest that is set up by cloud-init, or of a Vagrant box, keeps it.",
        examples: ['debian'],
        pattern: '^[A-Za-z_][A-Za-z0-9_.-]{0,31}$',
      },
      port: { ...portNumber, description: 'The port on the host that leads to SSH. Default: a free one, kept.' },
      private_key: {
        ...hostPath,
        description:
          'A key of yours to log in with; its .pub stands beside it. Default: one made for the machine. Kept as `user` is.',
        examples: ['~/.ssh/id_ed25519'],
      },
      forward_agent: { ...yesOrNo, description: 'The guest may use your SSH agent. Default: false.' },
      forward_x11: { ...yesOrNo, description: 'Windows of the guest open on the host. Default: false.' },
      extra_args: {
        ...argumentList,
        description: "More arguments for the system's ssh.",
        examples: ['[-o, Compression=yes]'],
      },
    },
  },
  depends_on: {
    type: ['array', 'object'],
    title: 'a list of machines, or a mapping of machines to conditions',
    description: 'Machines that `vm up` brings up first, and `vm halt` stops last. In a list each must be started.',
    examples: ['[db]', '{ db: healthy }'],
    items: machineName,
    propertyNames: machineName,
    additionalProperties: {
      type: 'string',
      title: 'a condition',
      description:
        'started: its guest accepts logins; provisioned: its steps have run; healthy: its healthcheck has passed.',
      enum: ['started', 'provisioned', 'healthy'],
    },
  },
} as const;

/** The top-level `networks`. */
export const networks = {
  type: ['object', 'null'],
  title: 'a mapping of names to networks',
  description: 'Private networks between the machines of this project.',
  propertyNames: resourceName,
  additionalProperties: {
    type: ['object', 'null'],
    title: 'a network',
    description: 'A private Ethernet segment between the machines that join it; nobody else is on it.',
    additionalProperties: false,
    properties: {
      subnet: {
        ...text,
        title: 'an IPv4 subnet',
        description: 'Default: a private one is chosen and kept.',
        examples: ['10.10.10.0/24'],
        pattern: `${ipv4.pattern.slice(0, -1)}/([0-9]|[12][0-9]|30)$`,
      },
      enable_ipv6: {
        ...yesOrNo,
        description: 'Its machines have IPv6 addresses, too. Default: false, or true where `subnet6` is given.',
      },
      subnet6: {
        ...text,
        title: 'an IPv6 subnet of length 64',
        description: 'Default, with `enable_ipv6`: a unique local one is chosen and kept.',
        examples: ['fd00:10::/64'],
        pattern: `${ipv6.pattern.slice(0, -1)}/64$`,
      },
      mtu: {
        type: 'integer',
        title: 'a number of bytes from 576 to 9000',
        description: 'The largest packet, in bytes. Default: 1500.',
        examples: [9000],
        minimum: 576,
        maximum: 9000,
      },
    },
  },
} as const;
