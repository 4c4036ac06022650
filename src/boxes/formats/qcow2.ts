import { open } from 'node:fs/promises';
import { CommandError, VmError } from '../../errors.ts';
import { run } from '../../host/exec.ts';
import { HEADER_MAX_BYTES, parseQcow2Header, type Qcow2Header } from './qcow2-header.ts';

/**
 * The virtual size in bytes of an image that can be trusted to be only itself.
 * @throws VmError for anything that is not a whole, plain qcow2: one that refers to other files would show them to the
 * guest. That is read from its header, before any program opens what it refers to.
 */
export async function inspectQcow2(
  { imagePath, shownAs }: { readonly imagePath: string; readonly shownAs: string },
  signal: AbortSignal,
): Promise<number> {
  const header = parseQcow2Header(await readBeginning(imagePath));
  if (header === undefined) {
    throw new VmError(`${shownAs} is not a qcow2 image`, {
      hint: `qemu-img convert -O qcow2 ${shownAs} ${shownAs}.qcow2 makes one of most other formats`,
    });
  }
  const problem = findImageProblem(header);
  if (problem !== undefined) {
    throw new VmError(`${shownAs} cannot be used as a box: ${problem.what}`, { hint: problem.cure });
  }
  await checkWhole(imagePath, shownAs, signal);
  return header.virtualSizeBytes;
}

interface ImageProblem {
  readonly what: string;
  readonly cure: string;
}

/** Why an image can be no box; undefined if it can. */
export function findImageProblem(header: Qcow2Header): ImageProblem | undefined {
  const flatten = 'qemu-img convert -O qcow2 IMAGE WHOLE.qcow2, where you trust it, makes one file of it';
  if (header.backingFile !== undefined) {
    return { what: `it stands on another file, ${header.backingFile}`, cure: flatten };
  }
  if (header.hasDataFile) return { what: 'its data is in another file', cure: flatten };
  if (header.isEncrypted) return { what: 'it is encrypted', cure: 'decrypt it with qemu-img convert' };
  if (header.isMarkedCorrupt) {
    return { what: 'it is marked as corrupt', cure: 'repair a copy: qemu-img check -r all COPY' };
  }
  return undefined;
}

/** `qemu-img check` exits with 3 where space is lost but no data. */
const LEAKS_ONLY = 3;

/** A truncated image refers to clusters behind its end, which `qemu-img check` reports as errors. */
async function checkWhole(imagePath: string, shownAs: string, signal: AbortSignal): Promise<void> {
  try {
    await run({ file: 'qemu-img', args: ['check', '-q', '-f', 'qcow2', imagePath] }, { signal });
  } catch (cause) {
    if (!(cause instanceof CommandError)) throw cause;
    if (cause.exitCode === LEAKS_ONLY) return;
    throw new VmError(`${shownAs} is damaged or not whole`, { hint: 'get it again, and compare its checksum', cause });
  }
}

async function readBeginning(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_MAX_BYTES), 0, HEADER_MAX_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
