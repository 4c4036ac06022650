/** What an image says of itself, read before any program opens it. */
export interface ImageMetadata {
  /** The size of the disk in it; means nothing where there is a problem. */
  readonly virtualSizeBytes: number;
  readonly problem: ImageProblem | undefined;
}

/** Why an image can be no box. */
export interface ImageProblem {
  /** “it …”, of the image. */
  readonly what: string;
  readonly cure: string;
}

export const MAX_VIRTUAL_SIZE_BYTES = 16 * 2 ** 40;

const GET_AGAIN = 'get it again, and compare its checksum';

export const NOT_WHOLE: ImageProblem = { what: 'it is damaged or not whole', cure: GET_AGAIN };
export const LYING: ImageProblem = { what: 'its header lies about its size', cure: GET_AGAIN };

export const FLATTEN = 'qemu-img convert -O qcow2 IMAGE WHOLE.qcow2, where you trust it, makes one file of it';

export function withProblem(problem: ImageProblem): ImageMetadata {
  return { virtualSizeBytes: 0, problem };
}

export function findSizeProblem(virtualSizeBytes: number): ImageProblem | undefined {
  if (virtualSizeBytes === 0) return { what: 'the disk in it has no size', cure: GET_AGAIN };
  if (virtualSizeBytes > MAX_VIRTUAL_SIZE_BYTES) {
    return { what: 'the disk in it is larger than 16 TiB', cure: 'use an image of a smaller disk' };
  }
  return undefined;
}
