import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { BoxStore } from '../boxes/store.ts';
import { StateError, VmError } from '../errors.ts';
import { systemErrorCode, unlessMissing } from '../host/files.ts';
import { checkFile, type Look } from './frozen-file.ts';
import { diskPath, readStored, type StoredLayer, writeStored } from './layer-file.ts';

/** Where layers and what they stand on are, and how closely to look. */
export interface LookOptions {
  readonly layersDir: string;
  readonly boxes: Pick<BoxStore, 'get' | 'dirOf'>;
  readonly look: Look;
  readonly signal: AbortSignal;
}

/** What is wrong with a layer, or with what it stands on, down to the box; undefined: it is whole. */
export async function findProblem(id: string, options: LookOptions): Promise<string | undefined> {
  const { layersDir, boxes } = options;
  const dir = join(layersDir, id);
  const stored = await readStored(dir);
  if (stored === undefined) return 'it is gone';
  const { baseId, boxKey } = stored;
  const own =
    (await findDiskProblem(dir, options)) ??
    (await findBackingProblem(dir, stored, baseId === undefined ? boxes.dirOf(boxKey) : join(layersDir, baseId)));
  if (own !== undefined) return own;
  if (baseId === undefined) return findBoxProblem(boxKey, boxes);
  const below = await findProblem(baseId, options);
  return below && `the layer ${baseId} that it stands on: ${below}`;
}

/** The same of its own disks alone. What was read is written down: they need not be read again until they change. */
export async function findDiskProblem(
  dir: string,
  options: Pick<LookOptions, 'look' | 'signal'>,
): Promise<string | undefined> {
  const stored = await readStored(dir);
  if (stored === undefined) return 'it is gone';
  const checks = [];
  for (const disk of stored.disks) {
    const path = diskPath(dir, disk.id);
    const { problem, file } = await checkFile(path, disk.file, options);
    checks.push({ disk: { ...disk, file }, problem: problem && `${basename(path)}: ${problem}` });
  }
  const files = [];
  for (const { name, file: frozen } of stored.template ?? []) {
    const { problem, file } = await checkFile(join(dir, name), frozen, options);
    files.push({ entry: { name, file }, problem: problem && `${name}: ${problem}` });
  }
  const disks = checks.map(({ disk }) => disk);
  const template = files.map(({ entry }) => entry);
  const isKnown =
    disks.every(({ file }, i) => file === stored.disks[i]?.file) &&
    template.every(({ file }, i) => file === stored.template?.[i]?.file);
  if (!isKnown) await rememberChecks(dir, { ...stored, disks, ...(stored.template && { template }) }, options.look);
  return [...checks, ...files].find(({ problem }) => problem !== undefined)?.problem;
}

async function rememberChecks(dir: string, stored: StoredLayer, look: Look): Promise<void> {
  await writeStored(dir, stored).catch((error: unknown) => {
    const isRemoved = systemErrorCode(error) === 'ENOENT';
    // Where disks are read because they seem changed, they are just read again the next time.
    const isWorthFailing = look === 'bytes' || !(error instanceof VmError);
    if (!isRemoved && isWorthFailing) throw error;
  });
}

/** Disks name the files that they stand on by their paths: in a store that was moved these lead elsewhere. */
async function findBackingProblem(dir: string, { disks }: StoredLayer, baseDir: string): Promise<string | undefined> {
  const expected = await unlessMissing(realpath(baseDir));
  for (const { id, backingPath } of disks) {
    if (backingPath === undefined || expected === undefined) continue;
    if ((await unlessMissing(realpath(dirname(resolve(dir, backingPath))))) === expected) continue;
    return `the disk ${id} stands on ${backingPath}, which is not in ${baseDir}`;
  }
  return undefined;
}

async function findBoxProblem(boxKey: string, boxes: LookOptions['boxes']): Promise<string | undefined> {
  try {
    await boxes.get(boxKey);
    return undefined;
  } catch (error) {
    if (error instanceof StateError) return error.message;
    throw error;
  }
}
