import { describe, expect, test } from 'vitest';
import { countOvfMachines, ovfDiskFiles } from '../../../../src/boxes/formats/ovf.ts';

/** As VirtualBox exports it: with an installation image, and prefixes for attributes only. */
const VIRTUALBOX = `<?xml version="1.0"?>
<Envelope ovf:version="1.0" xml:lang="en-US" xmlns="http://schemas.dmtf.org/ovf/envelope/1"
    xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:vbox="http://www.virtualbox.org/ovf/machine">
  <References>
    <File ovf:id="file1" ovf:href="app-disk001.vmdk"/>
    <File ovf:id="file2" ovf:href="installer.iso"/>
  </References>
  <DiskSection>
    <Info>List of the virtual disks used in the package</Info>
    <Disk ovf:capacity="8589934592" ovf:diskId="vmdisk1" ovf:fileRef="file1"
      ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized" vbox:uuid="d8"/>
  </DiskSection>
  <VirtualSystem ovf:id="app">
    <OperatingSystemSection ovf:id="96"><vbox:OSType ovf:required="false">Debian_64</vbox:OSType></OperatingSystemSection>
    <vbox:Machine><MediaRegistry><HardDisks><HardDisk uuid="{d8}" location="other.vmdk"/></HardDisks></MediaRegistry>
    </vbox:Machine>
  </VirtualSystem>
</Envelope>`;

test('the disks, and not the CDs', () => {
  expect(ovfDiskFiles(VIRTUALBOX)).toEqual(['app-disk001.vmdk']);
});

test('in the order of the disks, with prefixes for elements, too', () => {
  const text = `<ovf:Envelope><ovf:References>
    <ovf:File ovf:href="data.vmdk" ovf:id="b" ovf:size="1"></ovf:File><ovf:File ovf:href="root.vmdk" ovf:id="a"/>
  </ovf:References><ovf:DiskSection>
    <ovf:Disk ovf:diskId="1" ovf:fileRef="a"/><ovf:Disk ovf:diskId="2" ovf:fileRef="b"/>
  </ovf:DiskSection></ovf:Envelope>`;
  expect(ovfDiskFiles(text)).toEqual(['root.vmdk', 'data.vmdk']);
});

describe('in the order in which the machine has them', () => {
  const attached = (controller: number, place: number | string, disk: string, item = 'Item', prefix = 'rasd') =>
    `<${item}>
      <${prefix}:AddressOnParent>${place}</${prefix}:AddressOnParent>
      <${prefix}:HostResource>${disk}</${prefix}:HostResource>
      <${prefix}:InstanceID>9</${prefix}:InstanceID>
      <${prefix}:Parent>${controller}</${prefix}:Parent>
      <${prefix}:ResourceType>17</${prefix}:ResourceType>
    </${item}>`;
  const ofDisks = (count: number, ...hardware: readonly string[]) => {
    const numbers = Array.from({ length: count }, (_, i) => i + 1);
    const files = numbers.map((n) => `<File ovf:id="f${n}" ovf:href="${n}.vmdk"/>`);
    const disks = numbers.map((n) => `<Disk ovf:diskId="d${n}" ovf:fileRef="f${n}"/>`);
    return ovfDiskFiles(`<Envelope>${[...files, ...disks].join('')}
      <VirtualSystem ovf:id="app"><VirtualHardwareSection>${hardware.join('')}</VirtualHardwareSection></VirtualSystem>
    </Envelope>`);
  };
  const controller =
    '<Item><rasd:AddressOnParent>5</rasd:AddressOnParent><rasd:ResourceType>20</rasd:ResourceType></Item>';

  test('by their places on a controller, as numbers', () => {
    const hardware = [attached(3, 10, 'ovf:/disk/d1'), attached(3, 2, 'ovf:/disk/d2'), attached(3, 0, '/disk/d3')];
    expect(ofDisks(3, controller, ...hardware)).toEqual(['3.vmdk', '2.vmdk', '1.vmdk']);
  });

  test('by controller first; a CD is no disk', () => {
    const cd = attached(3, 1, 'ovf:/file/f1');
    const hardware = [
      attached(3, 0, 'ovf:/disk/d2'),
      cd,
      attached(4, 0, 'ovf:/disk/d1'),
      attached(3, 2, 'ovf:/disk/d3'),
    ];
    expect(ofDisks(3, ...hardware)).toEqual(['2.vmdk', '3.vmdk', '1.vmdk']);
  });

  test('in version 2 of the format', () => {
    const storage = (place: number, disk: string) => attached(3, place, disk, 'ovf:StorageItem', 'sasd');
    expect(ofDisks(2, storage(1, 'ovf:/disk/d1'), storage(0, 'ovf:/disk/d2'))).toEqual(['2.vmdk', '1.vmdk']);
  });

  test('what is in no machine comes last, and else the order is that of the list', () => {
    expect(ofDisks(3, attached(3, 0, 'ovf:/disk/d2'))).toEqual(['2.vmdk', '1.vmdk', '3.vmdk']);
    expect(ofDisks(2, attached(3, 'x', 'ovf:/disk/d1'), attached(3, 'y', 'ovf:/disk/d2'))).toEqual([
      '1.vmdk',
      '2.vmdk',
    ]);
  });
});

test('the machines are counted', () => {
  expect(countOvfMachines(VIRTUALBOX)).toBe(1);
  const collection = '<VirtualSystemCollection ovf:id="c"><VirtualSystem ovf:id="a"/><ovf:VirtualSystem ovf:id="b">';
  expect(countOvfMachines(collection)).toBe(2);
});

test('without prefixes, with single quotes and what XML escapes', () => {
  const text = `<References><File id = 'f' href = 'a &amp; &quot;b&quot; &#233;.vmdk' /></References><Disk fileRef='f'/>`;
  expect(ovfDiskFiles(text)).toEqual(['a & "b" &#233;.vmdk']);
});

test('a disk without a file is empty', () => {
  expect(ovfDiskFiles('<File ovf:id="f" ovf:href="x.iso"/><Disk ovf:capacity="8" ovf:diskId="d"/>')).toEqual([]);
});

test('a disk whose file is not listed', () => {
  expect(ovfDiskFiles('<File ovf:id="f" ovf:href="x.vmdk"/><Disk ovf:fileRef="g"/>')).toEqual([]);
});

test.each(['', 'plain text', '{}', '<File', '<File ovf:id="f"'])('%j names no disk', (text) => {
  expect(ovfDiskFiles(text)).toEqual([]);
});

test.each([
  '<File ',
  '<Item><HostResource>/disk/',
  '</Item><HostResource>/disk/x</HostResource>',
  '</Item><HostResource ',
])('a megabyte of %s does not take long', (piece) => {
  const text = piece.repeat(2 ** 20 / piece.length);
  const startedAt = performance.now();
  expect(ovfDiskFiles(text)).toEqual([]);
  expect(performance.now() - startedAt).toBeLessThan(2000);
});
