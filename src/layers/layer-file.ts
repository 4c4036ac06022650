import { join } from 'node:path';
import { openImage } from '../boxes/formats/image-bytes.ts';
import { HEADER_MAX_BYTES, parseQcow2Header } from '../boxes/formats/qcow2-header.ts';
import { readTextIfExists, writeFileAtomic } from '../host/files.ts';
import { TEMPLATE_FILES, templateIn } from '../machine/template.ts';
import { type FrozenFile, freezeFile } from './frozen-file.ts';
import type { Layer, LayerDisk, LayerFacts } from './layer.ts';

/** The number of the stored format; a change of the shape below raises it and reads the old one. */
const LAYER_FORMAT = 1;

/** A folder in the store with such a file is a layer. */
const LAYER_FILE = 'layer.json';

/** What is stored of a layer. */
export interface StoredLayer extends Omit<Layer, 'id' | 'disks' | 'template'> {
  readonly format: typeof LAYER_FORMAT;
  readonly disks: readonly StoredDisk[];
  /** The files of its template; absent: it has none. */
  readonly template?: readonly StoredFile[];
}

interface StoredDisk extends Omit<LayerDisk, 'path'> {
  readonly file: FrozenFile;
  /** The disk that its header names; absent: none. */
  readonly backingPath?: string;
}

interface StoredFile {
  readonly name: string;
  readonly file: FrozenFile;
}

/** QEMU opens the RAM for writing also where it changes nothing in it (up to 8.1). */
const TEMPLATE_MODE = 0o600;

export function diskPath(dir: string, diskId: string): string {
  return join(dir, `${diskId}.qcow2`);
}

/** What is to be stored of the disks in `dir`, which are brought to the disk. @throws as `freezeFile`. */
export async function describeLayer(
  dir: string,
  { output: _, hasTemplate = false, disks, ...facts }: LayerFacts,
  signal: AbortSignal,
): Promise<StoredLayer> {
  const stored: StoredDisk[] = [];
  for (const { id, virtualSizeBytes } of disks) {
    const path = diskPath(dir, id);
    const file = await freezeFile(path, signal);
    const backingPath = await readBackingPath(path);
    stored.push({ id, virtualSizeBytes, file, ...(backingPath !== undefined && { backingPath }) });
  }
  return {
    format: LAYER_FORMAT,
    ...facts,
    disks: stored,
    ...(hasTemplate && { template: await freezeTemplate(dir, signal) }),
  };
}

async function freezeTemplate(dir: string, signal: AbortSignal): Promise<StoredFile[]> {
  const stored: StoredFile[] = [];
  for (const name of TEMPLATE_FILES) {
    stored.push({ name, file: await freezeFile(join(dir, name), signal, TEMPLATE_MODE) });
  }
  return stored;
}

async function readBackingPath(path: string): Promise<string | undefined> {
  await using image = await openImage(path);
  const name = parseQcow2Header(await image.read(0, HEADER_MAX_BYTES))?.backingFile;
  // QEMU writes a description of how to open the file where a path alone would not say it.
  return name?.startsWith('json:') ? undefined : name;
}

export async function writeStored(dir: string, stored: StoredLayer): Promise<void> {
  await writeFileAtomic(join(dir, LAYER_FILE), `${JSON.stringify(stored, undefined, 2)}\n`);
}

/** Undefined where there is no layer, or one of a format that this version of vm does not know. */
export async function readStored(dir: string): Promise<StoredLayer | undefined> {
  const stored = await readDocument(dir);
  return stored?.format === LAYER_FORMAT ? stored : undefined;
}

/** Whether a folder is no layer: it is being made, or was left by a killed process, or what describes it is damaged. */
export async function isUnfinished(dir: string): Promise<boolean> {
  return (await readDocument(dir)) === undefined;
}

async function readDocument(dir: string): Promise<StoredLayer | undefined> {
  const text = await readTextIfExists(join(dir, LAYER_FILE));
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as StoredLayer; // what we wrote; its format number is checked by the caller
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function toLayer(id: string, dir: string, stored: StoredLayer): Layer {
  const { key, parentKey, baseId, flatOf, boxKey, step, stepFingerprint, createdAt, madeBy, isPrivate } = stored;
  const disks = stored.disks.map((disk) => ({
    id: disk.id,
    path: diskPath(dir, disk.id),
    virtualSizeBytes: disk.virtualSizeBytes,
  }));
  const [ram] = stored.template ?? [];
  const template = ram && { template: { ...templateIn(dir), ramBytes: ram.file.bytes } };
  return {
    id,
    key,
    parentKey,
    baseId,
    flatOf,
    boxKey,
    step,
    stepFingerprint,
    disks,
    ...template,
    createdAt,
    madeBy,
    ...(isPrivate && { isPrivate }),
  };
}
