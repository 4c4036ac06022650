import type { ImageFormat } from './detect.ts';

/**
 * How qemu-img is told to open one file, in one format, and nothing else: a format that is not given is guessed, and
 * without `backing: null` the file an image stands on is opened with it. Without `force_size_calc` QEMU takes the size
 * of a VHD from its geometry, which is up to 2 % too small, unless it knows the program that made it (block/vpc.c).
 */
export function imageReference(imagePath: string, format: ImageFormat): string {
  const description = {
    driver: format,
    backing: null,
    ...(format === 'vpc' && { force_size_calc: 'current_size' }),
    file: { driver: 'file', filename: imagePath },
  };
  return `json:${JSON.stringify(description)}`;
}
