import { open, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StateError } from '../errors.ts';
import { unlessMissing } from '../host/files.ts';
import type { Arch } from '../machinefile/spec.ts';
import type { Box, BoxListing, ExtraDisk, SeedKind } from './box.ts';

/** The number of the stored format; a change of the shape below raises it and reads the old one. */
const BOX_FORMAT = 1;
/** Of a box with several disks, or that stands on another: a vm that knows only the first format would not see that. */
const LINKED_FORMAT = 2;

export const BOX_FILE = 'box.json';
export const DISK_FILE = 'disk.qcow2';
export const KERNEL_FILE = 'vmlinuz';
export const UNCOMPRESSED_KERNEL_FILE = 'vmlinux';
export const INITRD_FILE = 'initrd.img';
export const ENTRY_KEY_FILE = 'vagrant_private_key';
/** A box that stands on another has these by a hard link: they take no space of its own. */
export const KERNEL_FILES = [KERNEL_FILE, UNCOMPRESSED_KERNEL_FILE, INITRD_FILE] as const;

/** The root disk is one of them. PCI has room for 32 devices, of which a machine needs others, too. */
export const MAX_DISKS = 16;

export type ExtraDiskFile = `disk-${number}.qcow2`;

/** The file of a disk after the root disk; they count from 1. */
export function extraDiskFile(number: number): ExtraDiskFile {
  return `disk-${number}.qcow2`;
}

/** What is written beside a box's files. */
export interface BoxDescription {
  readonly key: string;
  /** Of the recipe the box was built from; several boxes may share it. Absent: imported. */
  readonly fingerprint: string | undefined;
  /** Hex digest of the file that was imported. */
  readonly sha256?: string;
  readonly name: string;
  readonly version: string;
  readonly arch: Arch;
  readonly seed: SeedKind;
  readonly user: string;
  readonly virtualSizeBytes: number;
  /** See `Box`; absent: none. */
  readonly extraDisks?: readonly Pick<ExtraDisk, 'virtualSizeBytes'>[];
  /** The kernel's, where the box brings kernel and initrd. */
  readonly commandLine: string | undefined;
  /** See `Box`; what was built is, in any case. */
  readonly isNamed?: boolean;
  /** A Vagrant box with a key of its own. */
  readonly hasEntryKey?: boolean;
  /** See `Box`. */
  readonly parentKey?: string;
  /** See `Box`. */
  readonly source: string;
  /** Versions of the programs that made it. */
  readonly builtWith: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly createdAt: string;
}

interface StoredBox extends BoxDescription {
  readonly format: typeof BOX_FORMAT | typeof LINKED_FORMAT;
  readonly files: Readonly<Record<string, StoredFile>>;
}

interface StoredFile {
  readonly bytes: number;
}

/** The content of `box.json` for the files in `dir`. */
export async function describeFiles(dir: string, description: BoxDescription): Promise<string> {
  const { extraDisks = [] } = description;
  const names = [
    DISK_FILE,
    ...extraDisks.map((_disk, i) => extraDiskFile(i + 1)),
    ...(description.commandLine === undefined ? [] : KERNEL_FILES),
    ...(description.hasEntryKey ? [ENTRY_KEY_FILE] : []),
  ];
  const files: Record<string, StoredFile> = {};
  for (const name of names) {
    const path = join(dir, name);
    await flush(path);
    files[name] = { bytes: (await stat(path)).size };
  }
  const format = extraDisks.length === 0 && description.parentKey === undefined ? BOX_FORMAT : LINKED_FORMAT;
  const stored: StoredBox = { format, ...description, files };
  return `${JSON.stringify(stored, undefined, 2)}\n`;
}

/** Puts a file on the disk: after a power failure it must not have its length and no content. */
async function flush(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * The box in `dir`; undefined where there is none.
 * @throws StateError if one of its files, or of those that it stands on, has not the size it had when it was made.
 */
export async function readBox(dir: string): Promise<Box | undefined> {
  const stored = await readStored(dir);
  if (stored === undefined) return undefined;
  const { parentKey } = stored;
  if (parentKey !== undefined && (await readBox(parentDir(dir, parentKey))) === undefined) {
    throw damaged(stored, DISK_FILE, `the box ${parentKey} that it stands on is gone`);
  }
  for (const [name, { bytes }] of Object.entries(stored.files)) {
    const actual = (await unlessMissing(stat(join(dir, name))))?.size;
    if (actual !== bytes)
      throw damaged(stored, name, actual === undefined ? 'it is gone' : `${actual} of ${bytes} bytes`);
  }
  return toBox(dir, stored);
}

/** The fingerprint of the recipe that the box in `dir` was built from. */
export async function readFingerprint(dir: string): Promise<string | undefined> {
  return (await readStored(dir))?.fingerprint;
}

/** What lists show; a damaged box is listed, too. */
export async function readListing(dir: string): Promise<BoxListing | undefined> {
  const stored = await readStored(dir);
  if (stored === undefined) return undefined;
  const isParents = (name: string) => stored.parentKey !== undefined && KERNEL_FILES.some((file) => file === name);
  const names = [BOX_FILE, ...Object.keys(stored.files).filter((name) => !isParents(name))];
  const stats = await Promise.all(names.map((name) => unlessMissing(stat(join(dir, name)))));
  return {
    box: toBox(dir, stored),
    createdAt: stored.createdAt,
    sizeBytes: stats.reduce((sum, file) => sum + (file?.blocks ?? 0) * 512, 0),
  };
}

async function readStored(dir: string): Promise<StoredBox | undefined> {
  const text = await unlessMissing(readFile(join(dir, BOX_FILE), 'utf8'));
  if (text === undefined) return undefined;
  const stored = parseStored(text, dir);
  if (stored.format === BOX_FORMAT || stored.format === LINKED_FORMAT) return stored;
  throw new StateError(`${dir} has format ${stored.format}, which this version of vm does not know`, {
    hint: 'use the version of vm that made the box, or a newer one',
  });
}

function parseStored(text: string, dir: string): StoredBox {
  try {
    return JSON.parse(text) as StoredBox; // what we wrote; its format number is checked by the caller
  } catch (cause) {
    throw new StateError(`a box is damaged: ${join(dir, BOX_FILE)} is not JSON`, {
      hint: `restore it from a copy, or remove ${dir}: the box is made anew when it is needed`,
      cause,
    });
  }
}

function toBox(dir: string, stored: StoredBox): Box {
  const { key, name, version, arch, seed, user, virtualSizeBytes, extraDisks = [], commandLine, source } = stored;
  return {
    key,
    digest: stored.sha256 ?? stored.fingerprint ?? key,
    source,
    name,
    version,
    isNamed: stored.fingerprint !== undefined || stored.isNamed === true,
    arch,
    seed,
    user,
    virtualSizeBytes,
    diskPath: join(dir, DISK_FILE),
    extraDisks: extraDisks.map((disk, i) => ({ ...disk, path: join(dir, extraDiskFile(i + 1)) })),
    parentKey: stored.parentKey,
    entryKeyPath: stored.hasEntryKey ? join(dir, ENTRY_KEY_FILE) : undefined,
    kernel:
      commandLine === undefined
        ? undefined
        : {
            kernelPath: join(dir, KERNEL_FILE),
            uncompressedKernelPath: join(dir, UNCOMPRESSED_KERNEL_FILE),
            initrdPath: join(dir, INITRD_FILE),
            commandLine,
          },
  };
}

/** The store is one folder with a folder for each box. */
function parentDir(dir: string, parentKey: string): string {
  return join(dirname(dir), parentKey);
}

/** How the disk of a box names the disk that it stands on; the store may be moved. */
export function parentReference(parentKey: string, file: string): string {
  return `../${parentKey}/${file}`;
}

function damaged(stored: StoredBox, file: string, what: string): StateError {
  return new StateError(`the box ${stored.name} is damaged: ${file}: ${what}`, { hint: wayOn(stored) });
}

function wayOn({ key, name, fingerprint, parentKey }: StoredBox): string {
  const remove = `vm box remove ${key}`;
  // Made of a machine, or of a recipe that is found by its file, not by the box's name.
  if (parentKey !== undefined) return `${remove}, and make it again`;
  return fingerprint === undefined ? remove : `${remove}, or make another beside it: vm box build ${name} --force`;
}
