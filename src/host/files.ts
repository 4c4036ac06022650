import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, existsSync, type Stats } from 'node:fs';
import { copyFile, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InterruptedError, VmError } from '../errors.ts';

/** The code of a Node.js system error (`ENOENT`, …), or undefined for anything else. */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Runs a file operation; gives undefined where the file does not exist. */
export async function unlessMissing<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Reads a text file; undefined where it does not exist. */
export function readTextIfExists(path: string): Promise<string | undefined> {
  return unlessMissing(readFile(path, 'utf8'));
}

/**
 * Writes a file beside its place and renames it there: readers see the old or the new content, never half of it.
 * @param mode permissions of the new file; 0600 unless given.
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array, mode = 0o600): Promise<void> {
  const besidePath = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  try {
    const file = await open(besidePath, 'wx', mode);
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(besidePath, path);
  } catch (error) {
    await rm(besidePath, { force: true });
    throw asWriteError(path, error);
  }
}

/** Waits until a file, or which names a folder has, is on the disk, and so survives a crash of the host. */
export async function syncToDisk(path: string): Promise<void> {
  await using file = await open(path, 'r');
  await file.sync();
}

/** Copies a file, with its permissions. @throws VmError if the copy cannot be written. */
export async function duplicateFile(fromPath: string, toPath: string): Promise<void> {
  await copyFile(fromPath, toPath).catch((error: unknown) => {
    throw asWriteError(toPath, error);
  });
}

/** Creates a folder and its parents, private to this user. */
export async function ensurePrivateFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: PRIVATE });
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw asWriteError(path, error);
    // Node.js says ENOENT of a read-only file system, too. The first folder that is missing tells the truth.
    await mkdir(firstMissing(path), { mode: PRIVATE }).catch((cause: unknown) => {
      if (systemErrorCode(cause) !== 'EEXIST') throw asWriteError(path, cause);
    });
    await ensurePrivateFolder(path);
  }
}

const PRIVATE = 0o700;

function firstMissing(path: string): string {
  const parent = dirname(path);
  return existsSync(parent) || parent === path ? path : firstMissing(parent);
}

/** Names the cause and the cure for what commonly stops a write; other errors pass unchanged. */
export function asWriteError(path: string, error: unknown): unknown {
  switch (systemErrorCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new VmError(`cannot write ${path}: the disk is full`, {
        hint: 'free some space and run the command again',
        cause: error,
      });
    case 'EROFS':
      return new VmError(`cannot write ${path}: the file system is read-only`, {
        hint: 'vm keeps its state in .vm beside the Machinefile: move the project to a place you can write',
        cause: error,
      });
    case 'EACCES':
    case 'EPERM':
      return new VmError(`cannot write ${path}: permission denied`, {
        hint: 'vm keeps its state in .vm beside the Machinefile: make that folder yours, or move the project',
        cause: error,
      });
    default:
      return error;
  }
}

/** What the file system knows of a folder and of each file directly in it; nothing where it is gone. */
export async function statFolder(dir: string): Promise<Stats[]> {
  const names = (await unlessMissing(readdir(dir))) ?? [];
  const paths = [dir, ...names.map((name) => join(dir, name))];
  const found = await Promise.all(paths.map((path) => unlessMissing(stat(path))));
  return found.filter((stats) => stats !== undefined);
}

/** SHA-256 of a file's bytes, in lower-case hex. @throws InterruptedError. */
export async function sha256OfFile(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    if (signal?.aborted) throw new InterruptedError();
    hash.update(chunk as Uint8Array);
  }
  return hash.digest('hex');
}

/** SHA-256 of a text or of bytes, in lower-case hex. */
export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

const TAIL_BYTES = 16 * 1024;

/** The last 16 KiB of a text file; empty where there is none. */
export async function readTail(path: string): Promise<string> {
  const file = await unlessMissing(open(path, 'r'));
  if (file === undefined) return '';
  try {
    const { size } = await file.stat();
    const length = Math.min(size, TAIL_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}
