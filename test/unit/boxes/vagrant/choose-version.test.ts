import { describe, expect, test } from 'vitest';
import { type CatalogBox, parseCatalog, type VagrantCatalog } from '../../../../src/boxes/vagrant/catalog.ts';
import { type BoxWish, chooseVersion } from '../../../../src/boxes/vagrant/choose-version.ts';
import { VmError } from '../../../../src/errors.ts';
import { parseConstraint } from '../../../../src/machinefile/versions.ts';

/** `catalog('1.0: libvirt/amd64 qemu')`; a `+` marks the default architecture, a `-` one that is not. */
function catalog(...versions: readonly string[]): VagrantCatalog {
  return {
    name: 'org/box',
    versions: versions.map((line) => {
      const [version = '', boxes = ''] = line.split(': ');
      return { version, boxes: boxes.split(' ').filter(Boolean).map(box) };
    }),
  };
}

function box(text: string): CatalogBox {
  const [provider = '', architecture] = text.replace(/[+-]$/, '').split('/');
  return {
    provider,
    url: text,
    checksum: undefined,
    architecture,
    isDefaultArchitecture: text.endsWith('+') ? true : text.endsWith('-') ? false : undefined,
  };
}

type Wish = Partial<Omit<BoxWish, 'constraint'>> & { readonly constraint?: string };

function choose(shop: VagrantCatalog, { constraint = '', ...wish }: Wish = {}) {
  const parsed = parseConstraint(constraint);
  if (parsed === undefined) throw new Error(`${constraint} was not understood`);
  return chooseVersion(shop, { providers: ['libvirt', 'qemu'], arch: 'x86_64', ...wish, constraint: parsed });
}

/** Version and the text the box was made of. */
function chosen(shop: VagrantCatalog, wish?: Wish): string {
  const { version, url } = choose(shop, wish);
  return `${version} ${url}`;
}

function refusal(shop: VagrantCatalog, wish?: Wish): { message: string; hint: string | undefined } {
  try {
    choose(shop, wish);
  } catch (error) {
    if (error instanceof VmError) return { message: error.message, hint: error.hint };
    throw error;
  }
  throw new Error('a box was chosen');
}

describe('the version', () => {
  const shop = catalog('1.9: libvirt', '1.10: libvirt', '2.0.pre: libvirt', '1.2: libvirt');

  test('is the newest, as versions are ordered; prereleases count', () => {
    expect(chosen(shop)).toBe('2.0.pre libvirt');
  });

  test('is the newest within the constraint', () => {
    expect(chosen(shop, { constraint: '~> 1.2, != 1.10' })).toBe('1.9 libvirt');
  });

  test('is the newest with a box that fits', () => {
    expect(chosen(catalog('3: virtualbox', '2: libvirt/arm64+', '1: qemu', '0: libvirt'))).toBe('1 qemu');
  });

  test('is the last of equal ones', () => {
    expect(chosen(catalog('1.0: libvirt/amd64+', '1: libvirt'))).toBe('1 libvirt');
  });
});

describe('the box', () => {
  test('is told with all the catalog says of it', () => {
    const text = JSON.stringify({
      versions: [
        {
          version: '1.0',
          providers: [
            {
              name: 'qemu',
              url: 'a.box',
              checksum: 'A'.repeat(32),
              checksum_type: 'md5',
              architecture: 'arm64',
              default_architecture: false,
            },
          ],
        },
      ],
    });
    expect(choose(parseCatalog(text, 'shop.json'), { arch: 'aarch64' })).toEqual({
      version: '1.0',
      provider: 'qemu',
      url: 'a.box',
      checksum: { algorithm: 'md5', hex: 'a'.repeat(32) },
      architecture: 'arm64',
    });
  });

  test('is of the preferred provider', () => {
    const shop = catalog('1: qemu libvirt virtualbox');
    expect(chosen(shop)).toBe('1 libvirt');
    expect(chosen(shop, { providers: ['qemu', 'libvirt'] })).toBe('1 qemu');
  });

  test.each([
    ['libvirt/arm64+ libvirt/amd64-', 'libvirt/amd64-', 'the host’s architecture, default or not'],
    ['libvirt/unknown+ libvirt/amd64-', 'libvirt/amd64-', 'the host’s before an unknown one'],
    ['libvirt/arm64- libvirt/unknown+', 'libvirt/unknown+', 'an unknown one that is the default'],
    ['libvirt', 'libvirt', 'the only one, where the catalog does not know of architectures'],
    ['libvirt/arm64+ qemu', 'qemu', 'another provider’s, where the preferred one has none'],
  ])('of %s is %s: %s', (boxes, expected) => {
    expect(chosen(catalog(`1: ${boxes}`))).toBe(`1 ${expected}`);
  });

  test.each([
    ['libvirt/arm64+', 'arm64'],
    ['libvirt/arm64', 'arm64'],
    ['libvirt/unknown-', 'unknown'],
    ['libvirt+', 'an unnamed one'],
    ['libvirt libvirt', 'an unnamed one'],
    ['libvirt/x86_64+', 'x86_64'],
  ])('is none of %s', (boxes, architecture) => {
    expect(refusal(catalog(`1: ${boxes}`)).message).toBe(
      `org/box (>= 0) has no box for amd64 (x86_64), only for ${architecture}`,
    );
  });
});

describe('where nothing fits', () => {
  test('no such version: the newest five are told', () => {
    expect(refusal(catalog('1', '2', '10', '3', '4', '5'), { constraint: '> 10' })).toEqual({
      message: 'org/box has no version > 10',
      hint: 'the newest there are: 10, 5, 4, 3, 2',
    });
  });

  test('no versions at all', () => {
    expect(refusal(catalog()).message).toBe('org/box has no versions');
  });

  test('versions without boxes', () => {
    expect(refusal(catalog('1', '2')).message).toBe('org/box (>= 0) has no boxes');
  });

  test('only other providers whose disks can be used: the way to do it is told', () => {
    const shop = catalog('2: parallels virtualbox', '1: virtualbox', '0: libvirt');
    expect(refusal(shop, { constraint: '>= 1' })).toEqual({
      message: 'org/box (>= 1) has no box for libvirt or qemu, only for parallels, virtualbox',
      hint: 'extract the .box for virtualbox (tar -xf) and give the disk in it as the box, such as `box: ./disk.vmdk`',
    });
  });

  test('only providers whose disks cannot be used', () => {
    expect(refusal(catalog('1: docker'))).toEqual({
      message: 'org/box (>= 0) has no box for libvirt or qemu, only for docker',
      hint: 'choose another version or box',
    });
  });

  test('only other architectures, among boxes of the wanted providers', () => {
    const { message, hint } = refusal(catalog('2: virtualbox/arm64+', '1: libvirt/amd64+ qemu/riscv64+'), {
      arch: 'aarch64',
    });
    expect(message).toBe('org/box (>= 0) has no box for arm64 (aarch64), only for amd64, riscv64');
    expect(hint).toContain('another `arch`');
  });
});
