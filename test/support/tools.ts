import { findTool } from '../../src/host/exec.ts';
import { rootDir } from './paths.ts';

/** Programs for the PATH of a test project: real ones, and fakes. */
export const tools = {
  qemuImg: realTool('qemu-img'),
  stty: realTool('stty'),
  decompressors: [realTool('xz'), realTool('zstd'), realTool('bzip2')],
  /** QEMU that refuses its command line. */
  failingQemu: fakeTool('failing/qemu-system-x86_64'),
  /** QEMU that prints its words, one a line, and ends. */
  printingQemu: fakeTool('printing/qemu-system-x86_64'),
  /** qemu-img that does not end by itself. */
  blockingQemuImg: fakeTool('blocking/qemu-img'),
  /** The same for volumes. */
  blockingMkfs: fakeTool('blocking/mkfs.ext4'),
  /** A QEMU whose guest is an SSH server where every command succeeds (but `guest-exits-N`), with ssh and rsync to reach it. */
  fakeGuest: [
    fakeTool('guest/qemu-system-x86_64'),
    fakeTool('guest/ssh'),
    fakeTool('guest/rsync'),
    process.execPath,
    realTool('dirname'),
    realTool('readlink'),
  ],
} as const;

/** An installed program; where it is not, a path at which there is none. */
function realTool(name: string): string {
  return findTool(name) ?? `/nonexistent/${name}`;
}

function fakeTool(path: string): string {
  return `${rootDir}test/fixtures/bin/${path}`;
}
