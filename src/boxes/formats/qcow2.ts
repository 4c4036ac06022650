import { printableName } from '../archives/member-name.ts';
import type { ImageBytes } from './image-bytes.ts';
import { FLATTEN, type ImageMetadata, type ImageProblem, LYING, NOT_WHOLE, withProblem } from './image-metadata.ts';
import { HEADER_MAX_BYTES, parseQcow2Header, type Qcow2Header } from './qcow2-header.ts';

export async function readQcow2(image: ImageBytes): Promise<ImageMetadata> {
  const header = parseQcow2Header(await image.read(0, HEADER_MAX_BYTES));
  if (header === undefined) return withProblem(NOT_WHOLE);
  return { virtualSizeBytes: header.virtualSizeBytes, problem: findImageProblem(header) };
}

/** In block/qcow2.h: MIN_CLUSTER_BITS and MAX_CLUSTER_BITS. */
const CLUSTER_BITS = { min: 9, max: 21 };

/** Why an image can be no box; undefined if it can. One that refers to other files would show them to the guest. */
export function findImageProblem(header: Qcow2Header): ImageProblem | undefined {
  if (header.backingFile !== undefined) {
    return { what: `it stands on another file, ${printableName(header.backingFile)}`, cure: FLATTEN };
  }
  if (header.hasDataFile) return { what: 'its data is in another file', cure: FLATTEN };
  if (header.isEncrypted) return { what: 'it is encrypted', cure: 'decrypt it with qemu-img convert' };
  if (header.isMarkedCorrupt) {
    return { what: 'it is marked as corrupt', cure: 'repair a copy: qemu-img check -r all COPY' };
  }
  if (header.clusterBits < CLUSTER_BITS.min || header.clusterBits > CLUSTER_BITS.max) return NOT_WHOLE;
  if (header.virtualSizeBytes > header.coveredBytes) return LYING;
  return undefined;
}
