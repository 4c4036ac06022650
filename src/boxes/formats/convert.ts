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
export function convertToQcow2(conversion: Conversion, tools: ConversionTools): Promise<void> {
  return runQemuImg(conversionCommand(conversion), conversion.destPath, tools);
}

export interface ConversionTools {
  readonly context: RunContext;
  readonly subject: string;
}

/**
 * Runs a command of qemu-img that has `-p`, and tells how far it is.
 * @throws VmError if the disk of `destPath` is full, CommandError, InterruptedError.
 */
export async function runQemuImg(
  command: HostCommand,
  destPath: string,
  { context, subject }: ConversionTools,
): Promise<void> {
  const { reporter, signal } = context;
  const onLine = (line: string) => {
    const percent = parsePercent(line);
    if (percent !== undefined) reporter.report({ type: 'progress', subject, text: `${percent} %` });
  };
  try {
    await run(command, { signal, onLine });
  } catch (error) {
    if (!(error instanceof CommandError && error.stderr.includes('No space left on device'))) throw error;
    throw new VmError(`cannot write ${destPath}: the disk is full`, {
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
