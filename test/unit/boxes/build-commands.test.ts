import { describe, expect, test } from 'vitest';
import {
  assemble,
  buildEnvironment,
  buildPaths,
  installPackages,
  makeFilesystem,
  makeImage,
} from '../../../src/boxes/build-commands.ts';
import { confined } from '../../../src/boxes/build-mode.ts';
import type { Recipe } from '../../../src/boxes/recipe.ts';

const paths = buildPaths('/home/me/vm/boxes/.making');

const recipe: Recipe = {
  name: 'tiny',
  version: '1.0.0',
  description: 'a small guest',
  arch: 'x86_64',
  suite: 'bookworm',
  variant: 'extract',
  sources: ['deb http://deb.debian.org/debian bookworm main', 'deb http://deb.debian.org/debian-security s main'],
  packages: { 'linux-image-amd64': 'kernel', rsync: 'synced folders' },
  user: 'root',
  seed: 'machinefile',
  disk: 2 ** 30,
  command_line: 'root=/dev/vda',
  initramfs_modules: ['virtio_blk', 'ext4'],
  like: undefined,
  dir: '/boxes/tiny',
  recipesDir: '/boxes',
};

describe('the commands of a build', () => {
  test('mmdebstrap gets packages, suite, target and sources', () => {
    expect(installPackages(recipe, paths)).toEqual({
      file: 'mmdebstrap',
      args: [
        '--mode=root',
        '--format=directory',
        '--verbose',
        '--variant=extract',
        '--include=linux-image-amd64,rsync',
        'bookworm',
        '/home/me/vm/boxes/.making/build/root',
        'deb http://deb.debian.org/debian bookworm main',
        'deb http://deb.debian.org/debian-security s main',
      ],
    });
  });

  test('assemble gets tree, files, recipe, result and modules', () => {
    expect(assemble(recipe, paths)).toEqual({
      file: '/boxes/build/assemble',
      args: [
        '/home/me/vm/boxes/.making/build/root',
        '/home/me/vm/boxes/.making/build/files',
        '/boxes/tiny',
        '/home/me/vm/boxes/.making',
        'virtio_blk',
        'ext4',
      ],
    });
  });

  test('the filesystem has the size of the recipe', () => {
    const { args } = makeFilesystem(recipe, paths);
    expect(args.slice(-4)).toEqual([
      '-d',
      '/home/me/vm/boxes/.making/build/root',
      '/home/me/vm/boxes/.making/build/disk.raw',
      '1048576k',
    ]);
  });

  test('the disk is a qcow2', () => {
    expect(makeImage(paths).args).toEqual([
      'convert',
      '-f',
      'raw',
      '-O',
      'qcow2',
      '/home/me/vm/boxes/.making/build/disk.raw',
      '/home/me/vm/boxes/.making/disk.qcow2',
    ]);
  });

  test('temporary files stay inside the build', () => {
    expect(buildEnvironment('/usr/bin', paths)).toMatchObject({
      PATH: '/usr/bin',
      TMPDIR: '/home/me/vm/boxes/.making/build/tmp',
    });
  });
});

describe('confined', () => {
  const command = { file: 'true', args: ['x'] };
  const DIES_WITH_US = ['--pdeathsig', 'KILL', '--'];
  const NAMESPACES = ['--mount', '--pid', '--fork', '--kill-child', '--'];

  test.each([
    ['root', ['unshare', ...NAMESPACES, 'true', 'x']],
    ['rootless', ['unshare', '--user', '--map-root-user', '--map-auto', ...NAMESPACES, 'true', 'x']],
    ['plain', ['true', 'x']],
  ] as const)('%s', (mode, args) => {
    expect(confined(mode, command)).toEqual({ file: 'setpriv', args: [...DIES_WITH_US, ...args] });
  });
});
