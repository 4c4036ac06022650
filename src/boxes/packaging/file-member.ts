import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { StreamedMember } from '../archives/tar-writer.ts';

export const ARCHIVED_MODE = 0o644;
const PIECE_BYTES = 1 << 20;

/** A file as a member of an archive; it is opened when its turn comes. */
export async function fileMember(path: string, name: string): Promise<StreamedMember> {
  const { size } = await stat(path);
  return { name, mode: ARCHIVED_MODE, sizeBytes: size, content: readPieces(path) };
}

async function* readPieces(path: string): AsyncGenerator<Uint8Array> {
  yield* createReadStream(path, { highWaterMark: PIECE_BYTES });
}
