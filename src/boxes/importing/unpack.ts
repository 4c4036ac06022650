import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { constants, copyFile, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { asWriteError, sha256OfFile } from '../../host/files.ts';
import { COMPRESSION_MAGIC_BYTES, decompress, detectCompression } from '../archives/compression.ts';
import { copySparse } from '../archives/write-sparse.ts';
import { readHead } from './head.ts';
import { type UnpackedArchive, unpackArchive } from './unpack-archive.ts';

export interface PackedFile {
  /** Absolute. */
  readonly path: string;
  /** What it is called in messages. */
  readonly shownAs: string;
  /** Lower-case hex; absent: not known yet. */
  readonly sha256: string | undefined;
  /** It may be moved away. */
  readonly isOurs: boolean;
}

export interface Unpacked extends UnpackedArchive {
  /** Of the packed file, lower-case hex. */
  readonly sha256: string;
}

/** Each piece costs a turn of the event loop. */
const PIECE_BYTES = 1 << 20;

/** POSIX ustar and GNU tar: a header's magic number lies at 257. */
const TAR_MAGIC = { at: 257, text: 'ustar' };
const HEAD_BYTES = TAR_MAGIC.at + TAR_MAGIC.text.length;

/**
 * Brings the disk images in a file into the folder `dir`: an image itself, compressed or in an archive. What is there
 * afterwards is what is looked at and kept: the original may change at any time.
 */
export async function unpack(file: PackedFile, dir: string, signal: AbortSignal): Promise<Unpacked> {
  const beginning = await readBeginning(file.path);
  const compression = detectCompression(beginning.subarray(0, COMPRESSION_MAGIC_BYTES));
  if (compression === undefined && !isTar(beginning)) return takeImage(file, dir, signal);
  const sha256 = file.sha256 ?? (await sha256OfFile(file.path, signal));
  const packed = createReadStream(file.path, { highWaterMark: PIECE_BYTES });
  const { shownAs } = file;
  const head = await readHead(
    compression === undefined ? packed : decompress(packed, compression, { shownAs, signal }),
    HEAD_BYTES,
  );
  if (isTar(head.beginning)) {
    return { sha256, ...(await unpackArchive({ content: head.whole, shownAs, dir, signal })) };
  }
  const path = join(dir, 'image');
  await copySparse(head.whole, path, { signal });
  return { sha256, disks: [{ path, name: shownAs }], vagrant: undefined };
}

function isTar(beginning: Buffer): boolean {
  return beginning.toString('latin1', TAR_MAGIC.at, HEAD_BYTES) === TAR_MAGIC.text;
}

async function readBeginning(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function takeImage(file: PackedFile, dir: string, signal: AbortSignal): Promise<Unpacked> {
  const path = join(dir, 'image');
  const sha256 = file.isOurs ? await move(file, path, signal) : await copyHashing(file.path, path, signal);
  return { sha256, disks: [{ path, name: file.shownAs }], vagrant: undefined };
}

async function move({ path, sha256 }: PackedFile, destPath: string, signal: AbortSignal): Promise<string> {
  await rename(path, destPath).catch((error: unknown) => {
    throw asWriteError(destPath, error);
  });
  return sha256 ?? (await sha256OfFile(destPath, signal));
}

/** In one pass: hashed while it is written; or not copied at all where the filesystem can share its blocks. */
async function copyHashing(path: string, destPath: string, signal: AbortSignal): Promise<string> {
  const isShared = await copyFile(path, destPath, constants.COPYFILE_FICLONE_FORCE).then(
    () => true,
    () => false,
  );
  if (isShared) return sha256OfFile(destPath, signal);
  const hash = createHash('sha256');
  const source = createReadStream(path, { highWaterMark: PIECE_BYTES });
  await copySparse(source, destPath, { signal, onBytes: (bytes) => hash.update(bytes) });
  return hash.digest('hex');
}
