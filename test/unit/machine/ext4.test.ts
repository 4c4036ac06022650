import { expect, test } from 'vitest';
import { parseExt4Superblock } from '../../../src/machine/ext4.ts';

/** As mkfs.ext4 writes it: 4 KiB blocks. */
function superblock({ label = 'vm-pgdata', blocks = 2560, blocksHigh = 0, magic = 0xef53 } = {}): Buffer {
  const block = Buffer.alloc(1024);
  block.writeUInt32LE(blocks, 0x4);
  block.writeUInt32LE(2, 0x18);
  block.writeUInt16LE(magic, 0x38);
  block.write(label, 0x78);
  block.writeUInt32LE(blocksHigh, 0x150);
  return block;
}

test('label and size', () => {
  expect(parseExt4Superblock(superblock())).toEqual({ label: 'vm-pgdata', sizeBytes: 10 * 2 ** 20 });
});

test('a label of all sixteen bytes; more blocks than 32 bits count', () => {
  const whole = parseExt4Superblock(superblock({ label: 'vm-custo.5cfed6c', blocks: 1, blocksHigh: 1 }));
  expect(whole).toEqual({ label: 'vm-custo.5cfed6c', sizeBytes: (2 ** 32 + 1) * 4096 });
});

test.each([
  ['another file system', superblock({ magic: 0 })],
  ['a disk that ends before', superblock().subarray(0, 1023)],
  ['nothing', Buffer.alloc(0)],
])('%s is none', (_what, block) => {
  expect(parseExt4Superblock(block)).toBeUndefined();
});
