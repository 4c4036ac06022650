import { Readable } from 'node:stream';
import { InterruptedError, MissingToolError, VmError } from '../../errors.ts';
import { type HostCommand, runAsFilter } from '../../host/exec.ts';
import { sha256 } from '../../host/files.ts';
import { decompress } from '../archives/compression.ts';
import { openImage } from '../formats/image-bytes.ts';
import type { Chunk } from './artifact.ts';

/** A change of it makes every chunk another one, to be sent and fetched again. */
export const CHUNK_BYTES = 32 * 2 ** 20;

/** How many chunks are in memory and on their way at once: one is packed while another is sent. */
export const CHUNKS_AT_ONCE = 2;

/**
 * The same bytes must give the same frame, for a registry to know them again: so the level is named, and the number of
 * threads, which newer versions of zstd choose by the host.
 */
const PACK: HostCommand = { file: 'zstd', args: ['-3', '--single-thread', '-c'] };

/** Where on disk a chunk was read, and what it is. */
export interface RawChunk {
  readonly offset: number;
  readonly bytes: Buffer;
}

/** A file from its beginning to its end in pieces of `CHUNK_BYTES`, of which only the last may be smaller. */
export async function* readChunks(path: string, signal: AbortSignal): AsyncGenerator<RawChunk> {
  await using file = await openImage(path);
  for (let offset = 0; offset < file.sizeBytes; ) {
    if (signal.aborted) throw new InterruptedError();
    const bytes = await file.read(offset, CHUNK_BYTES);
    if (bytes.length === 0) throw new VmError(`${path} became smaller while it was read`, { hint: 'run it again' });
    yield { offset, bytes };
    offset += bytes.length;
  }
}

/** Compares the bytes with themselves, moved by one. */
export function isAllZero(bytes: Buffer): boolean {
  return bytes.length === 0 || (bytes[0] === 0 && bytes.subarray(1).equals(bytes.subarray(0, -1)));
}

/** One frame of zstd. @throws MissingToolError, InterruptedError. */
export async function packChunk(bytes: Buffer, signal: AbortSignal): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of runAsFilter(PACK, Readable.from([bytes]), signal)) pieces.push(piece);
  } catch (error) {
    if (!(error instanceof MissingToolError)) throw error;
    throw new MissingToolError(error.tool, { hint: 'on Debian and Ubuntu: sudo apt install zstd' });
  }
  return Buffer.concat(pieces);
}

/**
 * What was packed, and never more than that.
 * @throws VmError if it is not what the manifest says; MissingToolError; InterruptedError.
 */
export async function unpackChunk(
  packed: Buffer,
  chunk: Chunk,
  { shownAs, signal }: { readonly shownAs: string; readonly signal: AbortSignal },
): Promise<Buffer> {
  const name = `${chunk.file} of ${shownAs}`;
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of decompress(Readable.from([packed]), 'zstd', { shownAs: name, signal })) {
    length += piece.length;
    if (length > chunk.length) break;
    pieces.push(piece);
  }
  const bytes = Buffer.concat(pieces);
  if (length === chunk.length && sha256(bytes) === chunk.sha256) return bytes;
  throw new VmError(`${name} is damaged: the chunk at ${chunk.offset} is not what the manifest says`, {
    hint: 'push the box again',
  });
}
