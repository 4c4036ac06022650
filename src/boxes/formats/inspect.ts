import { CommandError, VmError } from '../../errors.ts';
import { run } from '../../host/exec.ts';
import { BEGINNING_BYTES, detectImageFormat, type ImageFormat } from './detect.ts';
import { type ImageBytes, openImage, readSectorFromEnd, toWholeSectors } from './image-bytes.ts';
import { findSizeProblem, type ImageMetadata, NOT_WHOLE } from './image-metadata.ts';
import { imageReference } from './image-reference.ts';
import { readQcow2 } from './qcow2.ts';
import { readVdi } from './vdi.ts';
import { readVhdx } from './vhdx.ts';
import { readVmdk } from './vmdk.ts';
import { readVpc } from './vpc.ts';

export interface InspectedImage {
  readonly format: ImageFormat;
  /** Of the disk that a machine sees. */
  readonly virtualSizeBytes: number;
}

const READERS: Readonly<Record<ImageFormat, (image: ImageBytes) => Promise<ImageMetadata>>> = {
  qcow2: readQcow2,
  raw: async ({ sizeBytes }) => ({ virtualSizeBytes: toWholeSectors(sizeBytes), problem: undefined }),
  vmdk: readVmdk,
  vdi: readVdi,
  vpc: readVpc,
  vhdx: readVhdx,
};

/**
 * Format and size of an image that can be trusted to be only itself.
 * @throws VmError for anything that is not a whole disk in one file: an image that refers to other files would show
 * them to the guest. That is read from its metadata, before any program opens what it refers to.
 */
export async function inspectImage(
  { imagePath, shownAs }: { readonly imagePath: string; readonly shownAs: string },
  signal: AbortSignal,
): Promise<InspectedImage> {
  await using image = await openImage(imagePath);
  const format = await findFormat(image, shownAs);
  const { virtualSizeBytes, problem: ownProblem } = await READERS[format](image);
  const problem = ownProblem ?? findSizeProblem(virtualSizeBytes);
  if (problem !== undefined) {
    throw new VmError(`${shownAs} cannot be used as a box: ${problem.what}`, { hint: problem.cure });
  }
  if (format !== 'raw') await checkWhole({ imagePath, format, shownAs }, signal);
  return { format, virtualSizeBytes };
}

async function findFormat(image: ImageBytes, shownAs: string): Promise<ImageFormat> {
  const format = detectImageFormat(await image.read(0, BEGINNING_BYTES), await readSectorFromEnd(image, 1));
  switch (format) {
    case undefined:
      throw new VmError(`${shownAs} is not a disk image`, {
        hint: 'known are qcow2, raw, vmdk, vdi, vhd and vhdx; what is packed has to be unpacked first',
      });
    case 'iso':
      throw new VmError(`${shownAs} is an installation image, not a disk`, {
        hint: 'give it as “cdrom:”, not as “box:”',
      });
    case 'qcow':
    case 'qed':
    case 'parallels':
    case 'dmg':
      throw new VmError(`${shownAs} is an image in the format ${format}, which vm does not read`, {
        hint: `qemu-img convert -f ${format} -O qcow2 ${shownAs} ${shownAs}.qcow2, where you trust it, makes one that it reads`,
      });
    default:
      return format;
  }
}

interface CheckedImage {
  readonly imagePath: string;
  readonly format: ImageFormat;
  readonly shownAs: string;
}

/** `qemu-img check` exits with 3 where space is lost but no data, and with 63 after it could open what it cannot check. */
const HARMLESS = [3, 63];

/** Reading behind the end of a truncated image gives zeros; `qemu-img check` sees that it refers to what is not there. */
async function checkWhole({ imagePath, format, shownAs }: CheckedImage, signal: AbortSignal): Promise<void> {
  try {
    await run({ file: 'qemu-img', args: ['check', '-q', imageReference(imagePath, format)] }, { signal });
  } catch (cause) {
    if (!(cause instanceof CommandError)) throw cause;
    if (cause.exitCode !== undefined && HARMLESS.includes(cause.exitCode)) return;
    // What QEMU's block/vhdx-log.c says of an image whose machine was not shut down.
    if (cause.stderr.includes('log that needs to be replayed')) {
      throw new VmError(`${shownAs} cannot be used as a box: it was not closed properly`, {
        hint: 'shut its machine down first, or repair a copy: qemu-img check -r all COPY',
        cause,
      });
    }
    throw new VmError(`${shownAs} is damaged or not whole`, { hint: NOT_WHOLE.cure, cause });
  }
}
