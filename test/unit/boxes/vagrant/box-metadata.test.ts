import { describe, expect, test } from 'vitest';
import { missingMetadata, parseBoxMetadata } from '../../../../src/boxes/vagrant/box-metadata.ts';
import { VmError } from '../../../../src/errors.ts';

const parse = (document: unknown) => parseBoxMetadata(JSON.stringify(document), './debian.box');
const withDisks = (...disks: readonly unknown[]) => ({ provider: 'libvirt', disks });

function refusal(document: unknown): VmError {
  try {
    parse(document);
  } catch (error) {
    if (error instanceof VmError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('version 1', () => {
  test.each(['libvirt', 'qemu'])('one disk, as %s boxes have it', (provider) => {
    expect(parse({ provider, format: 'qcow2', virtual_size: 20, architecture: 'amd64' })).toEqual({
      provider,
      disks: [{ path: 'box.img', name: 'box' }],
      virtualSizeBytes: 20 * 2 ** 30,
    });
  });

  test.each([{}, { disks: [] }, { disks: null }])('only the provider is needed: %j', (fields) => {
    expect(parse({ provider: 'libvirt', ...fields })).toEqual({
      provider: 'libvirt',
      disks: [{ path: 'box.img', name: 'box' }],
      virtualSizeBytes: undefined,
    });
  });

  test.each([0, -1, '20', null])('a size that makes no sense is no size: %j', (virtual_size) => {
    expect(parse({ provider: 'libvirt', virtual_size }).virtualSizeBytes).toBeUndefined();
  });
});

describe('version 2', () => {
  test.each(['libvirt', 'qemu'])('several disks, as %s boxes have them, in their order', (provider) => {
    const disks = [{ path: 'disk1.img' }, { path: './sub//d2.v1.img', name: 'data' }, { path: 'sub/d3' }];
    expect(parse({ provider, format: 'qcow2', virtual_size: 20, disks })).toEqual({
      provider,
      disks: [
        { path: 'disk1.img', name: 'disk1' },
        { path: 'sub/d2.v1.img', name: 'data' },
        { path: 'sub/d3', name: 'sub/d3' },
      ],
      virtualSizeBytes: undefined,
    });
  });

  test('names lose only the last extension', () => {
    expect(parse(withDisks({ path: 'a.v1/b.v2.img' }, { path: 'a.v1/.img' })).disks.map(({ name }) => name)).toEqual([
      'a.v1/b.v2',
      'a.v1/.img',
    ]);
  });

  test.each([
    [withDisks({ path: 'a.img' }, { name: 'b' }), 'disks[1].path is missing'],
    [withDisks({ path: '/etc/shadow' }), 'disks[0].path is not relative: /etc/shadow'],
    [withDisks({ path: '../a.img' }), 'disks[0].path leads out of the box: ../a.img'],
    [withDisks({ path: 'a/../b.img' }), 'disks[0].path leads out of the box: a/../b.img'],
    [withDisks({ path: './' }), 'disks[0].path names no file: ./'],
    [withDisks({ path: 'a\u0000.img' }), 'disks[0].path has control characters'],
    [withDisks('a.img'), 'disks[0] is not an object'],
    [withDisks({ path: 'x', name: 'b' }, { path: 'y' }, { path: 'b.img' }), 'disks[2] has the name of disks[0], b'],
    [{ provider: 'libvirt', disks: { path: 'a.img' } }, 'disks is not a list'],
  ])('%j → %s', (document, expected) => {
    expect(refusal(document).message).toBe(`metadata.json of ./debian.box: ${expected}`);
  });
});

describe('what cannot be used', () => {
  test.each([
    [{}, 'provider is missing'],
    [{ provider: 'libvirt', format: 'raw' }, 'format is “raw” (only qcow2 is supported)'],
    [{ ...withDisks({ path: 'a.img' }), format: 'vmdk' }, 'format is “vmdk” (only qcow2 is supported)'],
  ])('%j → %s', (document, expected) => {
    expect(refusal(document).message).toBe(`metadata.json of ./debian.box: ${expected}`);
  });

  test.each([
    ['virtualbox', './disk.vmdk'],
    ['vmware_desktop', './disk.vmdk'],
    ['hyperv', './disk.vhdx'],
    ['parallels', 'use a box for libvirt or qemu'],
  ])('a box for %s: %s', (provider, cure) => {
    const { message, hint } = refusal({ provider });
    expect(message).toBe(`./debian.box is a box for ${provider}, which is not supported`);
    expect(hint).toContain(cure);
  });

  test('what is not JSON', () => {
    expect(() => parseBoxMetadata('provider: libvirt', './debian.box')).toThrow(
      'metadata.json of ./debian.box is not JSON',
    );
  });
});

describe('a box without metadata.json', () => {
  test('is an old one for VirtualBox, if there is an export in it', () => {
    const { message, hint } = missingMetadata(['Vagrantfile', 'box.ovf', 'box-disk1.vmdk'], './old.box');
    expect(message).toBe('./old.box is a box for virtualbox, which is not supported');
    expect(hint).toContain('./disk.vmdk');
  });

  test('is none otherwise', () => {
    expect(missingMetadata(['disk.ovf'], './x.tar').message).toBe(
      './x.tar is not a Vagrant box: there is no metadata.json in it',
    );
  });
});
