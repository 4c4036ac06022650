import { join, relative } from 'node:path';
import { parse, stringify } from 'yaml';
import { StateError } from '../errors.ts';
import { readTextIfExists, sha256, writeFileAtomic } from '../host/files.ts';
import { placeOf } from './forms/box.ts';
import type { BoxReference } from './spec.ts';

/** What a project's boxes were resolved to, so that they are the same everywhere. */
export interface LockedBox {
  readonly version: string;
  /** For people: where it came from. */
  readonly source: string;
  /** Lower-case hex: of the imported file, or of everything a box is built from. */
  readonly sha256: string;
}

/** By what the Machinefile asks for; see `lockKey`. */
export type LockedBoxes = ReadonlyMap<string, LockedBox>;

const LOCKFILE = 'Machinefile.lock';
const FORMAT = 1;
const HEADER = '# The boxes of this project. Written by vm; commit it. `vm box update` renews it.\n';
const FILE_MODE = 0o644;

/** A box as the lockfile knows it: a path is relative to the project, so that it holds on other hosts. */
export function lockKey(reference: BoxReference, projectDir: string): string {
  const place = keyOfPlace(reference, projectDir);
  return reference.version === undefined ? place : `${place}@${reference.version.text}`;
}

function keyOfPlace(reference: BoxReference, projectDir: string): string {
  if (reference.kind === 'path') {
    const path = relative(projectDir, reference.path);
    return path.startsWith('../') ? path : `./${path}`;
  }
  const place = placeOf(reference);
  // What a URL asks for is left out there, as it may be secret; but it makes a difference.
  return reference.kind === 'url' ? place.replace('?…', `?${sha256(reference.url).slice(0, 8)}`) : place;
}

/** Empty where there is no lockfile. @throws StateError if it cannot be used. */
export async function readLockfile(projectDir: string): Promise<LockedBoxes> {
  const path = join(projectDir, LOCKFILE);
  const text = await readTextIfExists(path);
  if (text === undefined) return new Map();
  const document = parseYaml(text, path);
  if (!isObject(document) || document.lockfile !== FORMAT || !isObject(document.boxes)) {
    throw unusable(path, `is not a lockfile of format ${FORMAT}`);
  }
  return new Map(Object.entries(document.boxes).map(([key, box]) => [key, lockedBox(box, key, path)]));
}

export async function writeLockfile(projectDir: string, boxes: LockedBoxes): Promise<void> {
  const sorted = [...boxes].sort(([a], [b]) => (a < b ? -1 : 1));
  const text = stringify({ lockfile: FORMAT, boxes: Object.fromEntries(sorted) }, { lineWidth: 0 });
  await writeFileAtomic(join(projectDir, LOCKFILE), HEADER + text, FILE_MODE);
}

function parseYaml(text: string, path: string): unknown {
  try {
    return parse(text);
  } catch (cause) {
    throw unusable(
      path,
      cause instanceof Error ? `is not YAML: ${cause.message.split('\n')[0]}` : 'is not YAML',
      cause,
    );
  }
}

function lockedBox(box: unknown, key: string, path: string): LockedBox {
  if (isObject(box)) {
    const { version, source, sha256 } = box;
    const isWhole = typeof version === 'string' && typeof source === 'string' && typeof sha256 === 'string';
    if (isWhole && /^[0-9a-f]{64}$/.test(sha256)) return { version, source, sha256 };
  }
  throw unusable(path, `has no version, source and sha256 for ${key}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unusable(path: string, what: string, cause?: unknown): StateError {
  return new StateError(`${path} ${what}`, {
    hint: 'restore it from version control, or remove it: it is written anew, for the boxes that are chosen now',
    cause,
  });
}
