import { chmod, stat } from 'node:fs/promises';
import { StateError } from '../errors.ts';
import { asWriteError, sha256OfFile, syncToDisk, unlessMissing } from '../host/files.ts';
import { pause } from '../host/wait.ts';

/** A file that never changes again, and how to know it. */
export interface FrozenFile {
  readonly sha256: string;
  readonly bytes: number;
  /** Those of its last reading; absent: its bytes were not the right ones then. */
  readonly seen?: SeenFacts;
}

/** What the file system says of a file. As long as that is the same, so is its content: git's index relies on it, too. */
interface SeenFacts {
  /** As text: nanoseconds are more than a number holds. */
  readonly mtimeNs: string;
  readonly ctimeNs: string;
  readonly inode: string;
  readonly bytes: number;
}

/**
 * How closely files are looked at: as far as `stat` tells, also read where that tells of a change since they were last
 * read, or read in any case.
 */
export type Look = 'stat' | 'changes' | 'bytes';

/** Two changes within this time may have one time stamp: the kernel takes them from its tick, of 10 ms at most. */
const TICK_MS = 20;

/** Brings a file to the disk and takes its digest. @throws StateError if it is still being written. */
export async function freezeFile(path: string, signal: AbortSignal, mode = 0o400): Promise<FrozenFile> {
  await chmod(path, mode);
  await syncToDisk(path).catch((error: unknown) => {
    throw asWriteError(path, error);
  });
  const { sha256, seen } = await readDigest(path, signal);
  if (seen !== undefined) return { sha256, bytes: seen.bytes, seen };
  throw new StateError(`${path} was written while its digest was made`, {
    hint: 'it is to be frozen: nothing may write into it any more',
  });
}

/** Looks at a file; gives what is wrong with it, and what is known of it by now. @throws InterruptedError. */
export async function checkFile(
  path: string,
  frozen: FrozenFile,
  { look, signal }: { readonly look: Look; readonly signal: AbortSignal },
): Promise<{ readonly problem: string | undefined; readonly file: FrozenFile }> {
  const { sha256, bytes, seen } = frozen;
  const now = await unlessMissing(readFacts(path));
  if (now === undefined) return { problem: 'it is gone', file: frozen };
  if (now.bytes !== bytes) return { problem: `${now.bytes} of ${bytes} bytes`, file: frozen };
  if (look === 'stat') return { problem: seen === undefined ? CHANGED : undefined, file: frozen };
  if (look === 'changes' && isSame(seen, now)) return { problem: undefined, file: frozen };
  const read = await readDigest(path, signal);
  const isWhole = read.sha256 === sha256 && read.seen !== undefined;
  return isWhole
    ? { problem: undefined, file: { sha256, bytes, seen: read.seen } }
    : { problem: CHANGED, file: { sha256, bytes } };
}

const CHANGED = 'its content has changed';

/** `seen` is undefined where the file changed meanwhile. */
async function readDigest(
  path: string,
  signal: AbortSignal,
): Promise<{ readonly sha256: string; readonly seen: SeenFacts | undefined }> {
  const before = await readFacts(path);
  // What is written after the reading has begun must show in the time stamps.
  const sinceChangeMs = Date.now() - Number(BigInt(before.ctimeNs) / 1_000_000n);
  if (sinceChangeMs < TICK_MS) await pause(TICK_MS, signal);
  const sha256 = await sha256OfFile(path, signal);
  const after = await readFacts(path);
  return { sha256, seen: isSame(before, after) ? after : undefined };
}

async function readFacts(path: string): Promise<SeenFacts> {
  const { mtimeNs, ctimeNs, ino, size } = await stat(path, { bigint: true });
  return { mtimeNs: String(mtimeNs), ctimeNs: String(ctimeNs), inode: String(ino), bytes: Number(size) };
}

function isSame(a: SeenFacts | undefined, b: SeenFacts): boolean {
  return a?.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs && a.inode === b.inode && a.bytes === b.bytes;
}
