import { describe, expect, test } from 'vitest';
import { validProjectName } from '../../../../src/machinefile/resolving/resolve.ts';
import { loadFiles, loadMachine } from '../load-files.ts';

const GIB = 2 ** 30;

test('a machine with nothing but a box has every default', async () => {
  const { project } = await loadFiles(
    { 'My Shop/Machinefile': 'machines: {web: {box: debian/12}}' },
    { files: ['My Shop/Machinefile'] },
  );
  expect(project).toEqual({
    name: 'my-shop',
    projectDir: '/project/My Shop',
    groups: [],
    machines: [
      {
        name: 'web',
        provider: 'qemu',
        box: { kind: 'name', name: 'debian/12' },
        cpus: 1,
        memoryBytes: 512 * 2 ** 20,
        disks: [],
        volumes: [],
        arch: 'x86_64',
        firmware: 'bios',
        accel: 'auto',
        hostname: 'web',
        display: 'none',
        boot: ['disk'],
        ports: [],
        networks: [],
        isIsolated: false,
        sync: [],
        environment: {},
        provision: [],
        ssh: { forwardAgent: false, forwardX11: false, extraArgs: [] },
        cloudInit: {},
        dependsOn: [],
        autostart: true,
        primary: false,
        profiles: [],
        hooks: {},
        isWarm: false,
        bootTimeoutMs: 300_000,
        haltTimeoutMs: 60_000,
        qemuArgs: [],
      },
    ],
    networks: [],
    volumes: [],
  });
});

test.each([
  ['shop', 'shop'],
  ['My Shop', 'my-shop'],
  ['Büro', 'buro'],
  ['--x--', 'x'],
  ['日本', 'project'],
  ['a'.repeat(80), 'a'.repeat(63)],
])('the folder %s makes the project name %s', (folder, name) => {
  expect(validProjectName(folder)).toBe(name);
});

describe('settings', () => {
  test.each<[string, object]>([
    ['box: debian/12@1.2.0', { box: { kind: 'name', name: 'debian/12', version: { text: '1.2.0' } } }],
    [
      'box: { name: debian/12, version: 1.10 }',
      { box: { kind: 'name', name: 'debian/12', version: { text: '1.10' } } },
    ],
    ['box: ./b.qcow2', { box: { kind: 'path', path: '/project/b.qcow2' } }],
    ['box: { path: b.qcow2 }', { box: { kind: 'path', path: '/project/b.qcow2' } }],
    ['box: ~/b.qcow2', { box: { kind: 'path', path: '/project/home/b.qcow2' } }],
    [
      `box: { path: ~/b.qcow2, version: ~> 1, checksum: "sha512:${'AB'.repeat(64)}" }`,
      {
        box: {
          kind: 'path',
          path: '/project/home/b.qcow2',
          version: { text: '~> 1', requirements: [{ operator: '~>', version: '1' }] },
          checksum: { algorithm: 'sha512', hex: 'ab'.repeat(64) },
        },
      },
    ],
    ['box: https://x.example/b.box', { box: { kind: 'url', url: 'https://x.example/b.box' } }],
    ['box: tiny\ncpus: 4', { cpus: 4 }],
    ['box: tiny\nmemory: 2GiB', { memoryBytes: 2 * GIB }],
    ['box: tiny\nmemory: 1024', { memoryBytes: GIB }],
    ['box: tiny\ndisk: 10GB', { diskBytes: 10e9 }],
    [
      'box: tiny\ndisks: [{ name: a, size: 10GB }, { name: b, size: 1024, format: raw, bus: scsi }]',
      {
        disks: [
          { name: 'a', sizeBytes: 10e9, format: 'qcow2', bus: 'virtio' },
          { name: 'b', sizeBytes: GIB, format: 'raw', bus: 'scsi' },
        ],
      },
    ],
    ['box: tiny\narch: x86_64\nfirmware: uefi\naccel: tcg', { arch: 'x86_64', firmware: 'uefi', accel: 'tcg' }],
    ['box: tiny\ncpu: max\nmachine: pc\ndisplay: vnc', { cpu: 'max', machineType: 'pc', display: 'vnc' }],
    ['box: tiny\nprovider: qemu\nhostname: a.b.example', { provider: 'qemu', hostname: 'a.b.example' }],
    ['cdrom: i.iso\ndisk: 1GiB', { cdromPath: '/project/i.iso', boot: ['disk', 'cdrom'], diskBytes: GIB }],
    ['cdrom: i.iso\ndisk: 1GiB\nboot: [cdrom, disk]', { boot: ['cdrom', 'disk'] }],
    ['box: tiny\nautostart: false\nprimary: true', { autostart: false, primary: true }],
    ['box: tiny\nboot_timeout: 1h30m\nhalt_timeout: 500ms', { bootTimeoutMs: 5_400_000, haltTimeoutMs: 500 }],
    ['box: tiny\nqemu: { args: [-m, 5] }', { qemuArgs: ['-m', '5'] }],
    ['box: tiny\nmessage: hello', { message: 'hello' }],
    ['box: tiny\nprofiles: [a, b-2]', { profiles: ['a', 'b-2'] }],
    ['box: tiny\nhooks: { after_up: ./a b }', { hooks: { after_up: [{ file: './a', args: ['b'] }] } }],
    [
      'box: tiny\nhooks: { before_halt: [./a, [b, 1.10, "x y"]], x-mine: { a: 1 } }',
      {
        hooks: {
          before_halt: [
            { file: './a', args: [] },
            { file: 'b', args: ['1.10', 'x y'] },
          ],
        },
      },
    ],
    [
      'box: tiny\nhealthcheck: { command: pg_isready }',
      {
        healthcheck: {
          command: 'pg_isready',
          intervalMs: 30_000,
          timeoutMs: 30_000,
          retries: 3,
          startPeriodMs: 0,
        },
      },
    ],
    [
      'box: tiny\nhealthcheck: { command: [test, -e, /x], interval: 2s, timeout: 5s, retries: 30, start_period: 1m }',
      {
        healthcheck: {
          command: ['test', '-e', '/x'],
          intervalMs: 2000,
          timeoutMs: 5000,
          retries: 30,
          startPeriodMs: 60_000,
        },
      },
    ],
    [
      'box: tiny\nenvironment: { A: 1.10, B: true, C: "x", D: 0x10, E: yes }',
      { environment: { A: '1.10', B: 'true', C: 'x', D: '0x10', E: 'yes' } },
    ],
    [
      'box: tiny\ncloud_init: { user_data: { packages: [git] } }',
      { cloudInit: { userData: '#cloud-config\npackages:\n  - git\n' } },
    ],
    [
      'box: tiny\ncloud_init: { user_data: { ssh_pwauth: yes, mode: "0644", at: 1:30 } }',
      { cloudInit: { userData: '#cloud-config\nssh_pwauth: "yes"\nmode: "0644"\nat: "1:30"\n' } },
    ],
    ['box: tiny\ncloud_init: { user_data: ./u }', { cloudInit: { userData: '#!/bin/sh\ntrue\n' } }],
    ['box: tiny\ncloud_init:\n  user_data: |\n    #!/bin/sh\n    id', { cloudInit: { userData: '#!/bin/sh\nid\n' } }],
    ['box: tiny\ncloud_init: { network_config: { version: 2 } }', { cloudInit: { networkConfig: 'version: 2\n' } }],
  ])('%j', async (settings, expected) => {
    const files = { 'b.qcow2': '', 'home/b.qcow2': '', 'i.iso': '', u: '#!/bin/sh\ntrue\n' };
    expect(await loadMachine(settings, files)).toMatchObject(expected);
  });

  test('of the order: a list means started', async () => {
    const { project } = await loadFiles({
      Machinefile: [
        'defaults: { box: tiny }',
        'machines:',
        '  db: { healthcheck: { command: id } }',
        '  cache:',
        '  a: { depends_on: [db, cache, db] }',
        '  b: { depends_on: { db: healthy, cache: provisioned } }',
      ].join('\n'),
    });
    expect(project.machines.map(({ dependsOn }) => dependsOn)).toEqual([
      [],
      [],
      [
        { name: 'db', condition: 'started' },
        { name: 'cache', condition: 'started' },
      ],
      [
        { name: 'db', condition: 'healthy' },
        { name: 'cache', condition: 'provisioned' },
      ],
    ]);
  });

  test('of ssh', async () => {
    const ssh =
      '{ user: me, port: 2222, private_key: ~/k, forward_agent: true, forward_x11: true, extra_args: [-v, 1] }';
    const machine = await loadMachine(`box: tiny\nssh: ${ssh}`, { 'home/k': '', 'home/k.pub': '' });
    expect(machine.ssh).toEqual({
      user: 'me',
      port: 2222,
      privateKeyPath: '/project/home/k',
      forwardAgent: true,
      forwardX11: true,
      extraArgs: ['-v', '1'],
    });
  });
});

describe('ports', () => {
  const port = (guest: number, host?: number, rest: object = {}) => ({
    hostIp: '127.0.0.1',
    guest,
    ...(host !== undefined && { host }),
    protocol: 'tcp',
    autoCorrect: false,
    ...rest,
  });

  test.each([
    ['80', [port(80)]],
    ['"80"', [port(80)]],
    ['"8080:80"', [port(80, 8080)]],
    ['"8080:80/tcp"', [port(80, 8080)]],
    ['"53/udp"', [port(53, undefined, { protocol: 'udp' })]],
    ['"5353:53/udp"', [port(53, 5353, { protocol: 'udp' })]],
    ['"0.0.0.0:8080:80"', [port(80, 8080, { hostIp: '0.0.0.0' })]],
    ['"192.168.1.2::80"', [port(80, undefined, { hostIp: '192.168.1.2' })]],
    ['"8000-8001"', [port(8000), port(8001)]],
    ['"8000-8002:9000-9002"', [port(9000, 8000), port(9001, 8001), port(9002, 8002)]],
    ['{ guest: 80 }', [port(80)]],
    [
      '{ guest: 80, host: 8080, host_ip: 0.0.0.0, protocol: udp, auto_correct: true }',
      [port(80, 8080, { hostIp: '0.0.0.0', protocol: 'udp', autoCorrect: true })],
    ],
  ])('%s', async (written, expected) => {
    expect((await loadMachine(`box: tiny\nports: [${written}]`)).ports).toEqual(expected);
  });
});

describe('sync', () => {
  const folder = (rest: object) => ({
    type: 'rsync',
    hostPath: '/project/src',
    guestPath: '/srv',
    exclude: [],
    delete: false,
    args: [],
    ...rest,
  });

  test.each([
    ['src:/srv', folder({})],
    ['./src:/srv', folder({})],
    ['.:/srv', folder({ hostPath: '/project' })],
    ['~/x:/srv', folder({ hostPath: '/project/home/x' })],
    [
      '{ host: src, guest: /srv, type: rsync, exclude: [a], delete: true, owner: 1000, group: www, args: [-z, 1] }',
      folder({ exclude: ['a'], delete: true, owner: '1000', group: 'www', args: ['-z', '1'] }),
    ],
  ])('%s', async (written, expected) => {
    const machine = await loadMachine(`box: tiny\nsync:\n  - ${written}`, { 'src/': '', 'home/x/': '' });
    expect(machine.sync).toEqual([expected]);
  });
});

describe('provision', () => {
  const shell = (script: object, rest: object = {}) => ({
    type: 'shell',
    script,
    args: [],
    env: {},
    privileged: true,
    ...rest,
  });
  const sum = 'AB'.repeat(32);
  const cache = { ttlMs: undefined, readPaths: [] };

  test.each([
    [
      'shell: echo $HOME',
      { name: 'shell-1', run: 'once', cache, action: shell({ kind: 'inline', text: 'echo $HOME' }) },
    ],
    [
      '{ name: x, run: always, shell: { inline: id } }',
      { name: 'x', run: 'always', cache, action: shell({ kind: 'inline', text: 'id' }) },
    ],
    [
      'shell: { path: ./s.sh, args: [--n, 1.0], env: { A: 2 }, privileged: false }',
      {
        name: 'shell-1',
        run: 'once',
        cache,
        action: shell(
          { kind: 'path', path: '/project/s.sh' },
          { args: ['--n', '1.0'], env: { A: '2' }, privileged: false },
        ),
      },
    ],
    [
      `shell: { url: "https://x.example/s", checksum: "sha256:${sum}" }`,
      {
        name: 'shell-1',
        run: 'once',
        cache,
        action: shell({ kind: 'url', url: 'https://x.example/s', sha256: sum.toLowerCase() }),
      },
    ],
  ])('%s', async (step, expected) => {
    expect((await loadMachine(`box: tiny\nprovision:\n  - ${step}`, { 's.sh': '' })).provision).toEqual([expected]);
  });

  test.each([
    ['false', undefined],
    ['true', { ttlMs: undefined, readPaths: [] }],
    ['{ ttl: 7d }', { ttlMs: 7 * 86_400_000, readPaths: [] }],
    ['{ reads: [./s.sh, ./src] }', { ttlMs: undefined, readPaths: ['/project/s.sh', '/project/src'] }],
  ])('cache: %s', async (written, expected) => {
    const files = { 's.sh': '', 'src/': '' };
    const { provision } = await loadMachine(`box: tiny\nprovision:\n  - { shell: id, cache: ${written} }`, files);
    expect(provision.map((step) => step.cache)).toEqual([expected]);
  });

  test('steps without a name are called after their place', async () => {
    const { provision } = await loadMachine(
      'box: tiny\nprovision:\n  - shell: a\n  - { name: b, shell: b }\n  - shell: c',
    );
    expect(provision.map(({ name }) => name)).toEqual(['shell-1', 'b', 'shell-3']);
  });
});
