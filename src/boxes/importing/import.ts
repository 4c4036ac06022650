import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inPhase, type RunContext } from '../../context.ts';
import { sha256 as hashOf, writeFileAtomic } from '../../host/files.ts';
import type { Arch } from '../../machinefile/spec.ts';
import type { Box } from '../box.ts';
import { type BoxDescription, DISK_FILE, ENTRY_KEY_FILE, extraDiskFile } from '../box-file.ts';
import { type ConversionTools, convertToQcow2 } from '../formats/convert.ts';
import { type InspectedImage, inspectImage } from '../formats/inspect.ts';
import type { BoxStore } from '../store.ts';
import { contentVersion } from './content-version.ts';
import { type PackedFile, type Unpacked, unpack } from './unpack.ts';
import type { UnpackedDisk } from './unpack-archive.ts';

/** Other people's images are told by cloud-init which user to make: this one, unless a catalog says. */
const CLOUD_USER = 'vm';
/** A Vagrant box has its own. */
const VAGRANT_USER = 'vagrant';

export interface ImportInput {
  readonly file: PackedFile;
  readonly fileName: string;
  /** How the box is called. Absent: as the file is, and by its content. */
  readonly called: BoxCalling | undefined;
  /** For people: "imported from /srv/x.qcow2". */
  readonly source: string;
}

export interface BoxCalling {
  readonly name: string;
  /** Absent: by its content. */
  readonly version: string | undefined;
  /** See `Box`. */
  readonly isNamed: boolean;
  /** The login user of an image. Absent: the same for all. */
  readonly user?: string | undefined;
}

export interface ImportTools {
  readonly store: BoxStore;
  /** What the image is taken to be for: it does not say. */
  readonly arch: Arch;
  readonly context: RunContext;
}

/**
 * Takes a disk image, or what one is packed in, into the store, once for each content; every format is converted to
 * qcow2. Machines must not stand on the user's own file: a change of it would destroy them.
 * @throws VmError if it is no image that can be trusted to be only itself; nothing is left of the attempt.
 */
export async function importBox(input: ImportInput, tools: ImportTools): Promise<Box> {
  const { file, fileName, called } = input;
  const { store, context } = tools;
  const name = called?.name ?? fileName;
  return inPhase(context, name, 'import', async () => {
    const known = file.sha256 && (await findKnown(keyOf(file.sha256, called), store));
    if (known) return known;
    await using staging = await store.stage();
    const unpackedDir = join(staging.dir, 'unpacked');
    await mkdir(unpackedDir);
    const unpacked = await unpack(file, unpackedDir, context.signal);
    const disks = await inspectDisks(unpacked, file, context.signal);
    for (const [i, disk] of disks.entries()) {
      const destPath = join(staging.dir, i === 0 ? DISK_FILE : extraDiskFile(i));
      await takeDisk(disk, destPath, { context, subject: name });
    }
    // With what else was in an archive.
    await rm(unpackedDir, { recursive: true });
    const entryKey = unpacked.vagrant?.privateKey;
    if (entryKey !== undefined) await writeFileAtomic(join(staging.dir, ENTRY_KEY_FILE), entryKey);
    const key = keyOf(unpacked.sha256, called);
    await using _lock = await store.lock(key, { purpose: 'vm box import', signal: context.signal });
    const description = { ...describe(input, unpacked), ...sizesOf(disks), key, name, arch: tools.arch };
    // Awaited here: at the end of this function staging folder and lock are given up.
    return (await findKnown(key, store)) ?? (await store.commit(staging, description));
  });
}

/** Of the box made of a file with this digest: the same content under another name, or for another user, is another box. */
export function keyOf(sha256: string, called: BoxCalling | undefined): string {
  if (called === undefined) return sha256;
  const { name, version = contentVersion(sha256), isNamed, user } = called;
  return hashOf(JSON.stringify([sha256, name, version, isNamed, ...(user === undefined ? [] : [user])]));
}

async function findKnown(key: string, store: BoxStore): Promise<Box | undefined> {
  return (await store.has(key)) ? store.get(key) : undefined;
}

interface InspectedDisk extends UnpackedDisk, InspectedImage {}

/** All of them, before the first is converted, which may take long. @throws VmError as `inspectImage` does. */
async function inspectDisks({ disks }: Unpacked, file: PackedFile, signal: AbortSignal): Promise<InspectedDisk[]> {
  const inspected: InspectedDisk[] = [];
  for (const disk of disks) {
    const shownAs = disk.name === file.shownAs ? file.shownAs : `${disk.name} in ${file.shownAs}`;
    inspected.push({ ...disk, ...(await inspectImage({ imagePath: disk.path, shownAs }, signal)) });
  }
  return inspected;
}

async function takeDisk({ path, format }: InspectedDisk, destPath: string, tools: ConversionTools): Promise<void> {
  if (format === 'qcow2') await rename(path, destPath);
  else await convertToQcow2({ imagePath: path, format, destPath }, tools);
}

function sizesOf(disks: readonly InspectedDisk[]): Pick<BoxDescription, 'virtualSizeBytes' | 'extraDisks'> {
  const sizes = disks.map(({ virtualSizeBytes }) => ({ virtualSizeBytes }));
  const [root, ...extraDisks] = sizes as [(typeof sizes)[number], ...typeof sizes]; // never empty
  return { ...root, extraDisks };
}

function describe(
  { called, source }: ImportInput,
  { sha256, vagrant }: Unpacked,
): Omit<BoxDescription, 'key' | 'name' | 'virtualSizeBytes' | 'extraDisks' | 'arch'> {
  return {
    fingerprint: undefined,
    sha256,
    version: called?.version ?? contentVersion(sha256),
    isNamed: called?.isNamed ?? false,
    seed: vagrant === undefined ? 'cloud-init' : 'vagrant',
    user: vagrant === undefined ? (called?.user ?? CLOUD_USER) : VAGRANT_USER,
    hasEntryKey: vagrant?.privateKey !== undefined,
    commandLine: undefined,
    source,
    builtWith: {},
    createdAt: new Date().toISOString(),
  };
}
