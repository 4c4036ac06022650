import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inPhase, type RunContext } from '../../context.ts';
import { VmError } from '../../errors.ts';
import { sha256 as hashOf, writeFileAtomic } from '../../host/files.ts';
import type { Arch } from '../../machinefile/spec.ts';
import type { Box } from '../box.ts';
import { type BoxDescription, DISK_FILE, ENTRY_KEY_FILE } from '../box-file.ts';
import { convertToQcow2 } from '../formats/convert.ts';
import { inspectImage } from '../formats/inspect.ts';
import type { BoxStore } from '../store.ts';
import { type PackedFile, type Unpacked, unpack } from './unpack.ts';
import type { UnpackedDisk } from './unpack-archive.ts';

/** Other people's images are told by cloud-init which user to make; a Vagrant box has its own. */
const CLOUD_USER = 'vm';
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
  readonly version: string;
  /** See `Box`. */
  readonly isNamed: boolean;
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
    const virtualSizeBytes = await takeRootDisk(unpacked, join(staging.dir, DISK_FILE), { file, name, context });
    // With what else was in an archive.
    await rm(unpackedDir, { recursive: true });
    const entryKey = unpacked.vagrant?.privateKey;
    if (entryKey !== undefined) await writeFileAtomic(join(staging.dir, ENTRY_KEY_FILE), entryKey);
    const key = keyOf(unpacked.sha256, called);
    await using _lock = await store.lock(key, { purpose: 'vm box import', signal: context.signal });
    const description = { ...describe(input, unpacked), key, name, virtualSizeBytes, arch: tools.arch };
    // Awaited here: at the end of this function staging folder and lock are given up.
    return (await findKnown(key, store)) ?? (await store.commit(staging, description));
  });
}

/** The same content under another name is another box. */
function keyOf(sha256: string, called: BoxCalling | undefined): string {
  return called === undefined ? sha256 : hashOf(JSON.stringify([sha256, called.name, called.version, called.isNamed]));
}

async function findKnown(key: string, store: BoxStore): Promise<Box | undefined> {
  return (await store.has(key)) ? store.get(key) : undefined;
}

/** Makes the disk of the box, and gives its virtual size. */
async function takeRootDisk(
  { disks }: Unpacked,
  destPath: string,
  { file, name, context }: { readonly file: PackedFile; readonly name: string; readonly context: RunContext },
): Promise<number> {
  const [root, ...others] = disks as readonly [UnpackedDisk, ...UnpackedDisk[]]; // never empty
  if (others.length > 0) {
    throw new VmError(`${file.shownAs} has ${disks.length} disks, and boxes with more than one are not built yet`, {
      hint: 'extract it and give its first disk as the box',
    });
  }
  const shownAs = root.name === file.shownAs ? file.shownAs : `${root.name} in ${file.shownAs}`;
  const { format, virtualSizeBytes } = await inspectImage({ imagePath: root.path, shownAs }, context.signal);
  if (format === 'qcow2') await rename(root.path, destPath);
  else await convertToQcow2({ imagePath: root.path, format, destPath }, { context, subject: name });
  return virtualSizeBytes;
}

function describe(
  { called, source }: ImportInput,
  { sha256, vagrant }: Unpacked,
): Omit<BoxDescription, 'key' | 'name' | 'virtualSizeBytes' | 'arch'> {
  return {
    fingerprint: undefined,
    sha256,
    version: called?.version ?? sha256.slice(0, 12),
    isNamed: called?.isNamed ?? false,
    seed: vagrant === undefined ? 'cloud-init' : 'vagrant',
    user: vagrant === undefined ? CLOUD_USER : VAGRANT_USER,
    hasEntryKey: vagrant?.privateKey !== undefined,
    commandLine: undefined,
    source,
    builtWith: {},
    createdAt: new Date().toISOString(),
  };
}
