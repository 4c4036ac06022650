import { run } from '../host/exec.ts';

export interface FlatDisk {
  /** A frozen disk, which is only read. */
  readonly sourcePath: string;
  /** Where the new one is to be. */
  readonly path: string;
  /** What it is to stand on, one of those that the frozen disk stands on; undefined: nothing. */
  readonly backingPath: string | undefined;
}

/**
 * Makes a disk with the content of another that stands on fewer files, and compares both.
 * @throws CommandError if it cannot be written, or is another; what is there then is not whole.
 */
export async function makeFlatDisk({ sourcePath, path, backingPath }: FlatDisk, signal: AbortSignal): Promise<void> {
  const formats = ['-f', 'qcow2', '-F', 'qcow2'];
  // `qemu-img convert -B` would leave out what is in the files between.
  await run({ file: 'qemu-img', args: ['create', '-q', ...formats, '-b', sourcePath, path] }, { signal });
  await run({ file: 'qemu-img', args: ['rebase', '-q', ...formats, '-b', backingPath ?? '', path] }, { signal });
  await run({ file: 'qemu-img', args: ['compare', '-q', ...formats, sourcePath, path] }, { signal });
}
