import { describe, expect, test } from 'vitest';
import { parseRecipe } from '../../../src/boxes/recipe-text.ts';
import { MachinefileError } from '../../../src/errors.ts';

const COMPLETE = `name: debian/13
version: 1.0.0
description: Debian 13
arch: x86_64
suite: trixie
variant: minbase
sources: [deb http://deb.debian.org/debian trixie main]
packages:
  linux-image-amd64: the kernel
user: vm
seed: machinefile
disk: 10GiB
command_line: root=/dev/vda rw console=ttyS0
initramfs_modules: [virtio_blk, ext4]
`;

const source = (yaml: string, file = '/r/recipe.yaml') => ({ file, yaml });

const problemsOf = (text: string, others: Readonly<Record<string, string>> = {}) => {
  const sources = Object.entries(others).map(
    ([folder, yaml]) => [folder, source(yaml, `/${folder}/recipe.yaml`)] as const,
  );
  try {
    parseRecipe(source(text), new Map(sources));
  } catch (error) {
    if (error instanceof MachinefileError) return error.message.split('\n');
    throw error;
  }
  return [];
};

describe('parseRecipe', () => {
  test('reads every key', () => {
    expect(parseRecipe(source(COMPLETE), new Map())).toEqual({
      name: 'debian/13',
      version: '1.0.0',
      description: 'Debian 13',
      arch: 'x86_64',
      suite: 'trixie',
      variant: 'minbase',
      sources: ['deb http://deb.debian.org/debian trixie main'],
      packages: { 'linux-image-amd64': 'the kernel' },
      user: 'vm',
      seed: 'machinefile',
      disk: 10 * 2 ** 30,
      command_line: 'root=/dev/vda rw console=ttyS0',
      initramfs_modules: ['virtio_blk', 'ext4'],
    });
  });

  test.each([
    ['variant: minbase', 'variant: tiny', '6:10: “variant” is wrong (it is one of extract'],
    ['version: 1.0.0', 'version: 1.0', '2:10: “version” is wrong (it is a version such as 1.0.0'],
    ['disk: 10GiB', 'disk: large', '12:7: “disk” is wrong (it is a size such as 10GiB)'],
    ['sources: [deb', 'sources: deb', '7:10: “sources” is wrong (it is a list of texts)'],
    [
      '  linux-image-amd64: the kernel',
      '  linux-image-amd64:',
      '8:1: “packages” is wrong (it is a mapping of packages',
    ],
    ['name: debian/13', 'name: ../evil', '1:7: “name” is wrong (it is a name such as debian/12)'],
    ['user: vm\n', '', '1:1: “user” is missing (it is the name of a user)'],
    ['user: vm', 'user: vm\nsuit: x', '11:1: unknown key “suit” (did you mean “suite”?)'],
  ])('%s → %s', (right, wrong, expected) => {
    const text = wrong.startsWith('sources')
      ? COMPLETE.replace(/^sources:.*$/m, wrong)
      : COMPLETE.replace(right, wrong);
    expect(problemsOf(text)).toEqual([expect.stringContaining(`/r/recipe.yaml:${expected}`)]);
  });

  test('all mistakes are told at once', () => {
    expect(problemsOf('name: tiny\ndisk: 1GiB\n')).toHaveLength(11);
  });

  test('what is not YAML is told with its place', () => {
    expect(problemsOf('name: [')).toEqual([expect.stringMatching(/^\/r\/recipe\.yaml:1:\d+: /)]);
  });
});

describe('a recipe that is like another', () => {
  const NEXT = 'name: debian/14\nversion: 2.0.0\ndescription: Debian 14\nlike: debian-13\n';

  test('has everything from there that it does not say itself', () => {
    const next = `${NEXT}suite: forky\ninitramfs_modules: [virtio_blk]\n`;
    const others = new Map([['debian-13', source(COMPLETE)]]);
    expect(parseRecipe(source(next), others)).toEqual({
      ...parseRecipe(source(COMPLETE), new Map()),
      name: 'debian/14',
      version: '2.0.0',
      description: 'Debian 14',
      like: 'debian-13',
      suite: 'forky',
      initramfs_modules: ['virtio_blk'],
    });
  });

  test('has a name of its own', () => {
    expect(problemsOf('like: debian-13\n', { 'debian-13': COMPLETE })).toEqual(
      ['name', 'version', 'description'].map((key) => expect.stringContaining(`:1:1: “${key}” is missing`)),
    );
  });

  test('a mistake in what it has from there is told where it is', () => {
    const wrong = COMPLETE.replace('disk: 10GiB', 'disk: large');
    expect(problemsOf(NEXT, { 'debian-13': wrong })).toEqual([
      expect.stringMatching(/^\/debian-13\/recipe\.yaml:12:7: “disk” is wrong/),
    ]);
  });

  test.each([
    ['one that is not there', { tiny: COMPLETE }],
    ['one that is itself like another', { 'debian-13': `${COMPLETE}like: tiny\n`, tiny: COMPLETE }],
  ])('is not like %s', (_, others) => {
    expect(problemsOf(NEXT, others)).toEqual([
      '/r/recipe.yaml:4:7: “like” is wrong (it is the folder of a recipe that is not itself like another)',
    ]);
  });
});
