import { expect, test } from 'vitest';
import { sumBlockStats } from '../../../../src/providers/qemu/block-stats.ts';

const counts = (read: number, written: number) => ({ rd_bytes: read, wr_bytes: written, flush_operations: 1 });

test('drives are summed; the files below them are not counted again', () => {
  const answer = [
    {
      device: '',
      qdev: '/machine/peripheral/root-disk/virtio-backend',
      stats: counts(6_000, 500),
      parent: { stats: counts(7_000, 900) },
      backing: { stats: counts(5_000, 0), parent: { stats: counts(5_000, 0) } },
    },
    { device: '', qdev: '/machine/peripheral/own-data-disk', stats: counts(10, 20) },
  ];
  expect(sumBlockStats(answer)).toEqual({ readBytes: 6_010, writtenBytes: 520 });
  expect(sumBlockStats([])).toEqual({ readBytes: 0, writtenBytes: 0 });
});

test.each([undefined, {}, [{ device: '' }], [{ stats: { rd_bytes: '1', wr_bytes: 2 } }], [null]])(
  'no answer, or another one: %j',
  (answer) => {
    expect(sumBlockStats(answer)).toBeUndefined();
  },
);
