import type { RunContext } from '../../context.ts';
import { CommandError, VmError } from '../../errors.ts';
import { type HostCommand, run } from '../../host/exec.ts';
import type { ImageFormat } from './detect.ts';
import { imageReference } from './image-reference.ts';

export interface Conversion {
  /** Absolute; an image that `inspectImage` accepted. */
  readonly imagePath: string;
  readonly format: ImageFormat;
  /** Absolute. After a throw it is not known what is there. */
  readonly destPath: string;
}

/**
 * Writes the disk in an image as a qcow2 of the same size, without what is zero. The image is only read.
 * @throws VmError if the disk is full, CommandError if the image cannot be read, InterruptedError.
 */
export async function convertToQcow2(
  conversion: Conversion,
  { context, subject }: { readonly context: RunContext; readonly subject: string },
): Promise<void> {
  const { reporter, signal } = context;
  const onLine = (line: string) => {
    const percent = parsePercent(line);
    if (percent !== undefined) reporter.report({ type: 'progress', subject, text: `${percent} %` });
  };
  try {
    await run(conversionCommand(conversion), { signal, onLine });
  } catch (error) {
    if (!(error instanceof CommandError && error.stderr.includes('No space left on device'))) throw error;
    throw new VmError(`cannot write ${conversion.destPath}: the disk is full`, {
      hint: 'free some space and run the command again',
      cause: error,
    });
  }
}

export function conversionCommand({ imagePath, format, destPath }: Conversion): HostCommand {
  return { file: 'qemu-img', args: ['convert', '-p', '-O', 'qcow2', imageReference(imagePath, format), destPath] };
}

/** What `qemu-img -p` said last: it prints `    (42.00/100%)`, and ends that with a carriage return. */
export function parsePercent(line: string): number | undefined {
  const said = line.match(/\d+(?=\.\d+\/100%\))/g)?.at(-1);
  return said === undefined ? undefined : Number(said);
}
