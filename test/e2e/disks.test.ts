import { expect, test } from 'vitest';
import { oneTiny } from '../support/machinefiles.ts';
import { TestProject } from '../support/test-project.ts';

const DATA = '{ name: data, size: 32MiB }';
const withDisks = (...disks: readonly string[]) => oneTiny(`disks: [${disks.join(', ')}]`);

/** The device with this serial number, as udev would link it. */
const deviceOf = (serial: string) => `/dev/$(basename $(dirname $(grep -lx ${serial} /sys/block/vd*/serial)))`;

test('a file system on a disk survives reload and halt; the disk grows; another is added beside it', async () => {
  await using project = await TestProject.create({ files: { Machinefile: withDisks(DATA) } });
  const inGuest = (script: string) => project.ok('exec', '--', 'sh', '-ec', script);
  const read = `mount -t ext4 ${deviceOf('data')} /mnt; cat /mnt/note; umount /mnt`;

  await project.ok('up');
  await inGuest(`mke2fs ${deviceOf('data')} >/dev/null; mount -t ext4 ${deviceOf('data')} /mnt
    echo precious >/mnt/note; umount /mnt`);

  await project.ok('reload');
  expect(await inGuest(read)).toBe('precious\n');

  await project.ok('halt');
  await project.write('Machinefile', withDisks('{ name: new, size: 1MiB, format: raw }', DATA.replace('32', '48')));
  await project.ok('up');
  expect(await inGuest(read)).toBe('precious\n');
  const sectors = `cat /sys/block/$(basename ${deviceOf('data')})/size /sys/block/$(basename ${deviceOf('new')})/size`;
  expect(await inGuest(sectors)).toBe(`${48 * 2048}\n${2048}\n`);
});
