import { open } from 'node:fs/promises';
import { CommandError, VmError } from '../../errors.ts';
import { run } from '../../host/exec.ts';

/** What `qemu-img info --output=json` says of an image, as far as it is looked at. */
export interface ImageInfo {
  readonly format: string;
  readonly 'virtual-size': number;
  readonly 'backing-filename'?: string;
  readonly encrypted?: boolean;
  readonly 'format-specific'?: { readonly data?: { readonly 'data-file'?: string; readonly corrupt?: boolean } };
}

const MAGIC = 'QFI\xfb';

/**
 * The virtual size in bytes of an image that can be trusted to be only itself.
 * @throws VmError for anything that is not a whole, plain qcow2: one that refers to other files would show them to the
 * guest.
 */
export async function inspectQcow2(
  { imagePath, shownAs }: { readonly imagePath: string; readonly shownAs: string },
  signal: AbortSignal,
): Promise<number> {
  if ((await readMagic(imagePath)) !== MAGIC) {
    throw new VmError(`${shownAs} is not a qcow2 image`, {
      hint: `qemu-img convert -O qcow2 ${shownAs} ${shownAs}.qcow2 makes one of most other formats`,
    });
  }
  const { stdout } = await run(
    { file: 'qemu-img', args: ['info', '-f', 'qcow2', '--output=json', imagePath] },
    { signal },
  );
  const info = JSON.parse(stdout) as ImageInfo; // QEMU's promise
  const problem = findImageProblem(info);
  if (problem !== undefined)
    throw new VmError(`${shownAs} cannot be used as a box: ${problem.what}`, { hint: problem.cure });
  await checkWhole(imagePath, shownAs, signal);
  return info['virtual-size'];
}

interface ImageProblem {
  readonly what: string;
  readonly cure: string;
}

/** Pure. */
export function findImageProblem(info: ImageInfo): ImageProblem | undefined {
  const data = info['format-specific']?.data;
  const flatten = 'qemu-img convert -O qcow2 IMAGE WHOLE.qcow2, where you trust it, makes one file of it';
  if (info['backing-filename'] !== undefined) {
    return { what: `it stands on another file, ${info['backing-filename']}`, cure: flatten };
  }
  if (data?.['data-file'] !== undefined) {
    return { what: `its data is in another file, ${data['data-file']}`, cure: flatten };
  }
  if (info.encrypted) return { what: 'it is encrypted', cure: 'decrypt it with qemu-img convert' };
  if (data?.corrupt) return { what: 'it is marked as corrupt', cure: 'repair a copy: qemu-img check -r all COPY' };
  return undefined;
}

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

/** `qemu-img check` exits with 3 where space is lost but no data. */
const LEAKS_ONLY = 3;

async function readMagic(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { buffer } = await file.read(Buffer.alloc(MAGIC.length), 0, MAGIC.length, 0);
    return buffer.toString('latin1');
  } finally {
    await file.close();
  }
}
