import type { ImageBytes } from '../../../../src/boxes/formats/image-bytes.ts';

/** An image whose bytes a test made by hand. */
export function bufferImage(bytes: Buffer): ImageBytes {
  return {
    sizeBytes: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, Math.min(bytes.length, offset + length)),
  };
}
