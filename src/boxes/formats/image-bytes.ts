import { open } from 'node:fs/promises';

/** A file that is read at any place. Offsets and lengths may come from the file itself, so none is too large. */
export interface ImageBytes {
  readonly sizeBytes: number;
  /** Fewer bytes than asked for where the file ends before them. */
  read(offset: number, length: number): Promise<Buffer>;
}

const SECTOR_BYTES = 512;

export async function openImage(path: string): Promise<ImageBytes & AsyncDisposable> {
  const file = await open(path, 'r');
  const { size: sizeBytes } = await file.stat();
  return {
    sizeBytes,
    read: async (offset, length) => {
      const available = Math.max(0, Math.min(length, sizeBytes - offset));
      if (available === 0) return Buffer.alloc(0);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(available), 0, available, offset);
      return buffer.subarray(0, bytesRead);
    },
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** Rounds up to sectors, in which QEMU counts every file and every disk. */
export function toWholeSectors(bytes: number): number {
  return Math.ceil(bytes / SECTOR_BYTES) * SECTOR_BYTES;
}

/** The sector that is `place` sectors before the end, where QEMU looks for it; 1 is the last one, which may be cut. */
export function readSectorFromEnd(image: ImageBytes, place: number): Promise<Buffer> {
  return image.read(Math.max(0, toWholeSectors(image.sizeBytes) - place * SECTOR_BYTES), SECTOR_BYTES);
}
