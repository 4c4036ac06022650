import { addAbortSignal, pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CommandError, InterruptedError, MissingToolError, VmError } from '../../errors.ts';
import { type HostCommand, runAsFilter } from '../../host/exec.ts';
import { systemErrorCode } from '../../host/files.ts';

export type Compression = 'gzip' | 'xz' | 'zstd' | 'bzip2';

/** RFC 1952, 2.3.1; xz-file-format.txt, 2.1.1.1; RFC 8878, 3.1.1; bzip2.c, BZ_HDR_*. */
const MAGIC: readonly (readonly [Compression, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b, 0x08]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
];

/** What `detectCompression` has to see of a file. */
export const COMPRESSION_MAGIC_BYTES = 6;

/** How a file is compressed, by its first bytes; undefined if by none of these. */
export function detectCompression(beginning: Uint8Array): Compression | undefined {
  return MAGIC.find(([, magic]) => magic.every((byte, index) => beginning[index] === byte))?.[0];
}

interface Decompressor {
  readonly command: HostCommand;
  readonly debianPackage: string;
}

/** A frame that asks for more memory than this is refused: the two programs obey whatever an archive wants otherwise. */
const MEMORY_LIMIT = '1 GiB';

const DECOMPRESSORS: Readonly<Record<Exclude<Compression, 'gzip'>, Decompressor>> = {
  xz: { command: { file: 'xz', args: ['-dc', '--memlimit-decompress=1GiB'] }, debianPackage: 'xz-utils' },
  // zstd knows no unit above MiB here.
  zstd: { command: { file: 'zstd', args: ['-dc', '--memory=1024MiB'] }, debianPackage: 'zstd' },
  bzip2: { command: { file: 'bzip2', args: ['-dc'] }, debianPackage: 'bzip2' },
};

/** Much more than zlib's 16 KiB: each piece costs a turn of the event loop. */
const PIECE_BYTES = 256 * 1024;

export interface DecompressOptions {
  /** What the source is called in errors. */
  readonly shownAs: string;
  readonly signal: AbortSignal;
}

/**
 * Decompresses a stream as it is read; several compressed files one after another are one. Once the reader stops, or
 * anything fails, `source` is destroyed.
 * @throws VmError if the data is damaged, ends too early, or needs too much memory; MissingToolError; InterruptedError;
 * and what `source` throws.
 */
export async function* decompress(
  source: Readable,
  compression: Compression,
  { shownAs, signal }: DecompressOptions,
): AsyncGenerator<Uint8Array> {
  try {
    yield* compression === 'gzip'
      ? gunzip(source, signal)
      : runAsFilter(DECOMPRESSORS[compression].command, source, signal);
  } catch (error) {
    if (signal.aborted) throw new InterruptedError();
    if (error instanceof MissingToolError && compression !== 'gzip') {
      const { debianPackage } = DECOMPRESSORS[compression];
      throw new MissingToolError(error.tool, { hint: `on Debian and Ubuntu: sudo apt install ${debianPackage}` });
    }
    throw asDataError(error, shownAs);
  } finally {
    source.destroy();
  }
}

function gunzip(source: Readable, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const unzip = addAbortSignal(signal, createGunzip({ chunkSize: PIECE_BYTES }));
  // Whatever fails in either stream is thrown to the reader of the second.
  return pipeline(source, unzip, () => {});
}

function asDataError(error: unknown, shownAs: string): unknown {
  // A program that was killed says nothing of the data.
  const isRefusal = error instanceof CommandError && error.exitCode !== undefined;
  if (isRefusal && /memory/i.test(error.stderr)) {
    return new VmError(`${shownAs} needs more than ${MEMORY_LIMIT} of memory to decompress`, {
      hint: 'decompress it yourself where you trust it, or get it in another form',
      cause: error,
    });
  }
  // The codes of zlib's own failures: Z_DATA_ERROR, Z_BUF_ERROR, …
  if (!isRefusal && !systemErrorCode(error)?.startsWith('Z_')) return error;
  return new VmError(`${shownAs} is truncated or damaged`, {
    hint: 'get it again, and compare its checksum',
    cause: error,
  });
}
