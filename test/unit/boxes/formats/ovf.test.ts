import { expect, test } from 'vitest';
import { ovfDiskFiles } from '../../../../src/boxes/formats/ovf.ts';

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

test('tags that never end do not take long', () => {
  const text = '<File '.repeat(150_000);
  const startedAt = performance.now();
  expect(ovfDiskFiles(text)).toEqual([]);
  expect(performance.now() - startedAt).toBeLessThan(2000);
});
