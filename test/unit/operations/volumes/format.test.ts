import { expect, test } from 'vitest';
import { formatCommand, newVolumeBytes, toWholeBlocks } from '../../../../src/operations/volumes/format.ts';

const volume = { label: 'vm-pgdata', path: '/p/a b/volume.raw', uuid: '11111111-2222-4333-8444-555555555555' };

test('a volume has 10 GiB, or what is asked for, in whole blocks', () => {
  expect(newVolumeBytes({ sizeBytes: undefined })).toBe(10 * 2 ** 30);
  expect(newVolumeBytes({ sizeBytes: 20_000_001 })).toBe(20_000_768);
  expect(toWholeBlocks(4096)).toBe(4096);
});

test('the file system does not depend on what this host makes by default', () => {
  const { file, args } = formatCommand({ ...volume, sizeBytes: 2 ** 24 }, '/usr/sbin/mkfs.ext4');
  expect(file).toBe('/usr/sbin/mkfs.ext4');
  expect(args.slice(0, 5)).toEqual(['-q', '-L', 'vm-pgdata', '-U', volume.uuid]);
  expect(args[args.indexOf('-O') + 1]).toMatch(/^none,has_journal,.*,64bit,.*,metadata_csum$/);
  expect(args.slice(-2)).toEqual(['/p/a b/volume.raw', '16384k']);
});
