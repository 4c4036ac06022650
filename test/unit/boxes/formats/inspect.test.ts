import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type InspectedImage, inspectImage } from '../../../../src/boxes/formats/inspect.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'vm-inspect-'));
});
afterAll(() => rm(dir, { recursive: true }));

/** Inspects a file of these bytes, one a character, from `at` on, and of this size. */
async function inspect(
  bytes: string,
  { at = 0, sizeBytes = at + bytes.length }: { readonly at?: number; readonly sizeBytes?: number } = {},
): Promise<InspectedImage> {
  const imagePath = join(dir, 'image');
  await writeFile(imagePath, Buffer.concat([Buffer.alloc(at), Buffer.from(bytes, 'latin1')]));
  await using file = await open(imagePath, 'r+');
  await file.truncate(sizeBytes);
  return inspectImage({ imagePath, shownAs: './image' }, new AbortController().signal);
}

describe('inspectImage, for what it tells without any program', () => {
  test('a raw image is as large as its file, in whole sectors', async () => {
    expect(await inspect('\x55\xaa', { at: 510, sizeBytes: 5000 })).toEqual({ format: 'raw', virtualSizeBytes: 5120 });
  });

  test.each([
    ['', {}, './image is not a disk image', 'known are qcow2, raw, vmdk, vdi, vhd and vhdx'],
    ['\x1f\x8b', {}, './image is not a disk image', 'what is packed has to be unpacked first'],
    ['CD001', { at: 32_769 }, './image is an installation image, not a disk', 'give it as “cdrom:”'],
    ['QED\0', {}, 'an image in the format qed', 'qemu-img convert -f qed -O qcow2 ./image ./image.qcow2'],
    ['QFI\xfb\0\0\0\x01', {}, 'an image in the format qcow,', 'qemu-img convert -f qcow -O qcow2'],
    ['koly', { sizeBytes: 512 }, 'an image in the format dmg', 'qemu-img convert -f dmg -O qcow2'],
    [
      'KDMV',
      { sizeBytes: 512 },
      './image cannot be used as a box: it is one part',
      'qemu-img convert -O qcow2 DESCRIPTOR',
    ],
  ])('%j is refused', async (bytes, place, message, hint) => {
    await expect(inspect(bytes, place)).rejects.toMatchObject({
      message: expect.stringContaining(message),
      hint: expect.stringContaining(hint),
    });
  });
});
