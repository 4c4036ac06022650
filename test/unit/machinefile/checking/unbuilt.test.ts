import { describe, expect, test } from 'vitest';
import { type LoadOptions, machinefile, problemsOf } from '../load-files.ts';

const files = { 'f/': '', 'b.qcow2': '' };

describe('what is not built yet is refused', () => {
  test.each([
    ['box: tiny\nprovider: libvirt', '4:5: provider libvirt is not built yet (use qemu)'],
    [
      'box: tiny\nsync: [{ host: f, guest: /f, type: 9p }]',
      '4:34: sharing a folder over 9p or virtiofs is not built yet (use rsync)',
    ],
    [
      'box: tiny\nsync: [{ host: f, guest: /f, type: virtiofs }]',
      '4:34: sharing a folder over 9p or virtiofs is not built yet (use rsync)',
    ],
    [
      'box: tiny\nsync: [{ host: f, guest: /f, watch: true }]',
      '4:34: “watch” is not built yet (run `vm sync` after changes)',
    ],
    ['box: tiny\nprovision: [{ file: "a:b" }]', '4:19: provisioning with “file” is not built yet (use “shell”)'],
    [
      'box: tiny\nprovision: [{ ansible: { playbook: x } }]',
      '4:19: provisioning with “ansible” is not built yet (use “shell”)',
    ],
    ['box: tiny\nprovision: [{ puppet: x }]', '4:19: provisioning with “puppet” is not built yet (use “shell”)'],
    ['box: tiny\nprovision: [{ docker: x }]', '4:19: provisioning with “docker” is not built yet (use “shell”)'],
    ['box: tiny\nprovision: [{ compose: x }]', '4:19: provisioning with “compose” is not built yet (use “shell”)'],
    ['box: tiny\nlibvirt: { pool: x }', '4:5: “libvirt” is not built yet (remove it)'],
    ['box: tiny\narch: aarch64', '4:5: another architecture than that of the host is not built yet (remove “arch”)'],
    ['box: tiny\naccel: hvf', '4:5: hvf, the accelerator of macOS, outside of macOS is not built yet (use auto)'],
  ])('%j', async (settings, problem) => {
    expect(await problemsOf({ Machinefile: machinefile(settings), ...files })).toEqual([`Machinefile:${problem}`]);
  });

  test('in defaults, once for all machines', async () => {
    expect(await problemsOf('defaults: { box: tiny, libvirt: { } }\nmachines: { a: , b: }')).toEqual([
      expect.stringContaining('Machinefile:1:24: “libvirt”'),
    ]);
  });
});

describe('what is built is not', () => {
  test.each([
    'https://x.example/b.qcow2',
    '{ url: "https://x.example/b" }',
    'oci://x.example/a:1',
    'tiny@~> 1.2',
    '{ name: tiny, version: ">= 1" }',
    '{ path: b.qcow2, version: ">= 1" }',
    `{ path: b.qcow2, checksum: "sha256:${'0'.repeat(64)}" }`,
  ])('box: %s', async (box) => {
    expect(await problemsOf({ Machinefile: machinefile(`box: ${box}`), ...files })).toEqual([]);
  });

  test.each<[string, LoadOptions]>([
    ['replicas: 2', {}],
    ['arch: aarch64', { arch: 'aarch64' }],
    ['accel: hvf', { platform: 'darwin' }],
    ['sync: [{ host: f, guest: /f, type: rsync, watch: false }]', {}],
    ['x-mine: { depends_on: [x] }', {}],
  ])('%s', async (settings, options) => {
    expect(await problemsOf({ Machinefile: machinefile(`box: tiny\n${settings}`), ...files }, options)).toEqual([]);
  });
});
