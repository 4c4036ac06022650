import type { Arch } from '../../machinefile/spec.ts';
import type { SeedKind } from '../box.ts';
import {
  type BoxDescription,
  DISK_FILE,
  type ExtraDiskFile,
  extraDiskFile,
  KERNEL_FILES,
  MAX_DISKS,
} from '../box-file.ts';
import { MAX_VIRTUAL_SIZE_BYTES } from '../formats/image-metadata.ts';
import {
  findObjects,
  findText,
  type JsonObject,
  mistake,
  parseJsonObject,
  readText,
} from '../vagrant/json-document.ts';
import { readCount, readMatching, readOneOf } from './json-fields.ts';

const MAX_EXTRA_DISKS = MAX_DISKS - 1;
const EXTRA_DISK_FILES = Array.from({ length: MAX_EXTRA_DISKS }, (_, i) => extraDiskFile(i + 1));

export type BoxFileName = typeof DISK_FILE | (typeof KERNEL_FILES)[number] | ExtraDiskFile;
/** Everything that can be in a box. */
export const BOX_FILES: readonly BoxFileName[] = [DISK_FILE, ...KERNEL_FILES, ...EXTRA_DISK_FILES];

export const CONFIG_MEDIA_TYPE = 'application/vnd.machinefile.box.config.v1+json';
export const MAX_CONFIG_BYTES = 64 * 1024;
export const MAX_FILE_BYTES = 16 * 2 ** 40;
/** Of all files: a manifest of so many, about 400 bytes each, is one that registries take. */
export const MAX_CHUNKS = 10_000;

/** What of a box is the same wherever it is. */
export type BoxFacts = Required<
  Pick<
    BoxDescription,
    'name' | 'version' | 'arch' | 'seed' | 'user' | 'virtualSizeBytes' | 'extraDisks' | 'commandLine'
  >
>;

/** What a registry keeps of a box beside the content of its files. */
export interface BoxConfig extends BoxFacts {
  readonly files: readonly BoxFileFacts[];
}

export interface BoxFileFacts {
  readonly name: BoxFileName;
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** How many of its chunks are not all zero. */
  readonly chunks: number;
}

const ARCHS: readonly Arch[] = ['x86_64', 'aarch64'];
const SEEDS: readonly SeedKind[] = ['machinefile', 'cloud-init', 'vagrant'];
const USER = /^[a-z_][a-z0-9_-]{0,31}$/;
const SHA256 = /^[0-9a-f]{64}$/;
/** Linux's own limit on x86 (COMMAND_LINE_SIZE); the others are for messages and lists. */
const MAX_TEXT_LENGTHS = { name: 255, version: 255, commandLine: 2048 } as const;

/** The same box gives the same bytes, also those that it gave before boxes could have several disks. */
export function formatConfig(config: BoxConfig): Buffer {
  const { name, version, arch, seed, user, virtualSizeBytes, commandLine } = config;
  const extraDisks = config.extraDisks.map(({ virtualSizeBytes }) => ({ virtualSizeBytes }));
  const files = config.files.map(({ name, bytes, sha256, chunks }) => ({ name, bytes, sha256, chunks }));
  const facts = { name, version, arch, seed, user, virtualSizeBytes, commandLine, files };
  return Buffer.from(JSON.stringify(extraDisks.length === 0 ? facts : { ...facts, extraDisks }));
}

/**
 * Reads what somebody put into a registry.
 * @param shownAs the box, for messages.
 * @throws VmError which names the place of what is wrong.
 */
export function parseConfig(text: string, shownAs: string): BoxConfig {
  const root = parseJsonObject(text, { shownAs: `the description of ${shownAs}`, hint: 'push the box again' });
  const commandLine = findText(root, 'commandLine');
  if (commandLine !== undefined) checkLength(root, 'commandLine');
  const config: BoxConfig = {
    name: checkLength(root, 'name'),
    version: checkLength(root, 'version'),
    arch: readOneOf(root, 'arch', ARCHS),
    seed: readOneOf(root, 'seed', SEEDS),
    user: readMatching(root, 'user', USER),
    virtualSizeBytes: readVirtualSize(root),
    extraDisks: findObjects(root, 'extraDisks').map((disk) => ({ virtualSizeBytes: readVirtualSize(disk) })),
    commandLine,
    files: findObjects(root, 'files').map(parseFile),
  };
  checkFiles(root, config);
  return config;
}

function checkLength(object: JsonObject, key: keyof typeof MAX_TEXT_LENGTHS): string {
  const text = readText(object, key);
  if (text.length > MAX_TEXT_LENGTHS[key]) throw mistake(object, key, `is longer than ${MAX_TEXT_LENGTHS[key]}`);
  return text;
}

function readVirtualSize(object: JsonObject): number {
  return readCount(object, 'virtualSizeBytes', MAX_VIRTUAL_SIZE_BYTES);
}

function parseFile(object: JsonObject): BoxFileFacts {
  return {
    name: readFileName(object, 'name'),
    bytes: readCount(object, 'bytes', MAX_FILE_BYTES),
    sha256: readMatching(object, 'sha256', SHA256),
    chunks: readCount(object, 'chunks', MAX_CHUNKS),
  };
}

/** @throws VmError if it is the name of no file that can be in a box. */
export function readFileName(object: JsonObject, key: string): BoxFileName {
  const name = findText(object, key);
  const extraDisk = EXTRA_DISK_FILES.find((file) => file === name);
  return extraDisk ?? readOneOf(object, key, [DISK_FILE, ...KERNEL_FILES]);
}

/** A box is its disks; and, where it has a kernel, that in both of its forms, and what belongs to it. */
function checkFiles(root: JsonObject, { files, extraDisks, commandLine }: BoxConfig): void {
  if (extraDisks.length > MAX_EXTRA_DISKS) throw mistake(root, 'extraDisks', `are more than ${MAX_EXTRA_DISKS}`);
  const wanted: readonly string[] = [
    DISK_FILE,
    ...(commandLine === undefined ? [] : KERNEL_FILES),
    ...EXTRA_DISK_FILES.slice(0, extraDisks.length),
  ];
  const names = files.map(({ name }) => name);
  const isComplete = wanted.length === names.length && wanted.every((name) => names.some((other) => other === name));
  if (!isComplete) throw mistake(root, 'files', `are ${names.join(', ') || 'none'}, not ${wanted.join(', ')}`);
}
