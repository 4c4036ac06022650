import { constants, copyFile, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { RunContext } from '../context.ts';
import { inPhase } from '../context.ts';
import {
  asWriteError,
  ensurePrivateFolder,
  sha256,
  sha256OfFile,
  unlessMissing,
  writeFileAtomic,
} from '../host/files.ts';
import type { Arch } from '../machinefile/spec.ts';
import type { Box } from './box.ts';
import { type BoxDescription, DISK_FILE } from './box-file.ts';
import { inspectQcow2 } from './formats/qcow2.ts';
import type { BoxStore } from './store.ts';

/** Other people's images are told by cloud-init which user to make. */
const IMPORTED_USER = 'vm';

export interface ImportInput {
  /** Absolute. */
  readonly path: string;
  readonly arch: Arch;
  /** Where it is remembered which files were imported, so that a large one is not read again each time. */
  readonly memoryDir: string;
}

/**
 * Takes a qcow2 image into the store, once for each content. Machines must not stand on the user's own file: a change
 * of it would destroy them.
 */
export async function importImage(
  { path, arch, memoryDir }: ImportInput,
  { store, context }: { store: BoxStore; context: RunContext },
): Promise<Box> {
  const known = await recall(path, memoryDir);
  if (known !== undefined && (await store.has(known))) return store.get(known);
  return inPhase(context, basename(path), 'import', async () => {
    await using staging = await store.stage();
    const diskPath = join(staging.dir, DISK_FILE);
    // The copy is what is looked at and kept: the original may change at any time.
    await copyFile(path, diskPath, constants.COPYFILE_FICLONE).catch((error: unknown) => {
      throw asWriteError(diskPath, error);
    });
    const virtualSizeBytes = await inspectQcow2({ imagePath: diskPath, shownAs: path }, context.signal);
    const key = await sha256OfFile(diskPath, context.signal);
    await using _lock = await store.lock(key, { purpose: 'vm box import', signal: context.signal });
    if (!(await store.has(key))) {
      await store.commit(staging, describe({ path, arch, key, virtualSizeBytes }), context.signal);
    }
    await remember(path, key, memoryDir);
    return store.get(key);
  });
}

function describe(image: { path: string; arch: Arch; key: string; virtualSizeBytes: number }): BoxDescription {
  const { path, arch, key, virtualSizeBytes } = image;
  return {
    key,
    fingerprint: undefined,
    name: basename(path),
    version: key.slice(0, 12),
    arch,
    seed: 'cloud-init',
    user: IMPORTED_USER,
    virtualSizeBytes,
    commandLine: undefined,
    source: `imported from ${path}`,
    builtWith: {},
    createdAt: new Date().toISOString(),
  };
}

/** What tells a file from a changed one without reading it. */
interface Remembered {
  readonly identity: string;
  readonly key: string;
}

async function recall(path: string, memoryDir: string): Promise<string | undefined> {
  const text = await unlessMissing(readFile(memoryPath(path, memoryDir), 'utf8'));
  if (text === undefined) return undefined;
  const { identity, key } = JSON.parse(text) as Remembered; // written whole by `remember`
  return identity === (await identityOf(path)) ? key : undefined;
}

async function remember(path: string, key: string, memoryDir: string): Promise<void> {
  await ensurePrivateFolder(memoryDir);
  const remembered: Remembered = { identity: await identityOf(path), key };
  await writeFileAtomic(memoryPath(path, memoryDir), `${JSON.stringify(remembered)}\n`);
}

async function identityOf(path: string): Promise<string> {
  const { size, mtimeMs, ino, dev } = await stat(path);
  return [size, mtimeMs, ino, dev].join(':');
}

function memoryPath(path: string, memoryDir: string): string {
  return join(memoryDir, `${sha256(path)}.json`);
}
