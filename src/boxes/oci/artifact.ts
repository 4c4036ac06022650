import { VmError } from '../../errors.ts';
import { isDigest } from '../../machinefile/oci-reference.ts';
import {
  findObjects,
  findText,
  type JsonObject,
  mistake,
  parseJsonObject,
  readText,
} from '../vagrant/json-document.ts';
import {
  type BoxConfig,
  type BoxFileName,
  CONFIG_MEDIA_TYPE,
  MAX_CHUNKS,
  MAX_CONFIG_BYTES,
  MAX_FILE_BYTES,
  readFileName,
} from './box-config.ts';
import { findObject, readCount, readCountText, readMatching, readObject, readOneOf } from './json-fields.ts';
import { type Descriptor, MANIFEST_MEDIA_TYPE } from './registry.ts';

export const ARTIFACT_TYPE = 'application/vnd.machinefile.box.v1';
export const CHUNK_MEDIA_TYPE = 'application/vnd.machinefile.box.chunk.v1+zstd';

/** Of one chunk, packed or not: it is held in memory. */
export const MAX_CHUNK_BYTES = 64 * 2 ** 20;

/** A part of one file of a box. Parts that are all zero are in no chunk. */
export interface Chunk {
  readonly file: BoxFileName;
  readonly offset: number;
  readonly length: number;
  /** Of the bytes in the file, in lower-case hex. */
  readonly sha256: string;
  /** The same bytes in one frame of zstd. */
  readonly blob: Descriptor;
}

export interface BoxManifest {
  readonly config: Descriptor;
  /** By file, each in the order of the file. */
  readonly chunks: readonly Chunk[];
}

/** OCI wants names in the form of reversed domains (image specification 1.1, "Annotations"). */
const ANNOTATION = 'io.machinefile.chunk';
const SHA256 = /^[0-9a-f]{64}$/;

/** An OCI image manifest that is an artifact (OCI image specification 1.1, "Guidelines for Artifact Usage"). */
export function formatManifest(
  { config, chunks }: BoxManifest,
  { name, version }: Pick<BoxConfig, 'name' | 'version'>,
): Buffer {
  const layers = chunks.map(({ file, offset, length, sha256, blob }) => ({
    ...blob,
    annotations: {
      [`${ANNOTATION}.file`]: file,
      [`${ANNOTATION}.offset`]: String(offset),
      [`${ANNOTATION}.length`]: String(length),
      [`${ANNOTATION}.sha256`]: sha256,
    },
  }));
  const annotations = { 'org.opencontainers.image.title': name, 'org.opencontainers.image.version': version };
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_MEDIA_TYPE,
      artifactType: ARTIFACT_TYPE,
      config,
      layers,
      annotations,
    }),
  );
}

/**
 * Reads what somebody put into a registry.
 * @param shownAs the reference, for messages.
 * @throws VmError if it is not the manifest of a box.
 */
export function parseManifest(text: string, shownAs: string): BoxManifest {
  const root = parseJsonObject(text, { shownAs, hint: 'push the box again' });
  const artifactType = findText(root, 'artifactType') ?? findConfigType(root);
  if (artifactType !== ARTIFACT_TYPE) {
    throw new VmError(`${shownAs} is not a box, but ${artifactType?.slice(0, 100) ?? 'something else'}`, {
      hint: 'vm box push makes one; images of containers have no kernel and no disk',
    });
  }
  readOneOf(root, 'mediaType', [MANIFEST_MEDIA_TYPE]);
  const layers = findObjects(root, 'layers');
  if (layers.length > MAX_CHUNKS) throw mistake(root, 'layers', `are more than ${MAX_CHUNKS}`);
  const config = parseDescriptor(readObject(root, 'config'), CONFIG_MEDIA_TYPE, MAX_CONFIG_BYTES);
  return { config, chunks: parseChunks(layers) };
}

function findConfigType(root: JsonObject): string | undefined {
  const config = findObject(root, 'config');
  return config && findText(config, 'mediaType');
}

function parseChunks(layers: readonly JsonObject[]): Chunk[] {
  const ends = new Map<BoxFileName, number>();
  return layers.map((layer) => {
    const chunk = parseChunk(layer);
    const { file, offset, length } = chunk;
    if (offset < (ends.get(file) ?? 0)) throw mistake(layer, 'annotations', `overlap what is before them in ${file}`);
    ends.set(file, offset + length);
    return chunk;
  });
}

function parseChunk(layer: JsonObject): Chunk {
  const annotations = readObject(layer, 'annotations');
  const length = readCountText(annotations, `${ANNOTATION}.length`, MAX_CHUNK_BYTES);
  if (length === 0) throw mistake(annotations, `${ANNOTATION}.length`, 'is 0');
  return {
    file: readFileName(annotations, `${ANNOTATION}.file`),
    offset: readCountText(annotations, `${ANNOTATION}.offset`, MAX_FILE_BYTES - length),
    length,
    sha256: readMatching(annotations, `${ANNOTATION}.sha256`, SHA256),
    blob: parseDescriptor(layer, CHUNK_MEDIA_TYPE, MAX_CHUNK_BYTES),
  };
}

function parseDescriptor(object: JsonObject, mediaType: string, maxBytes: number): Descriptor {
  readOneOf(object, 'mediaType', [mediaType]);
  const digest = readText(object, 'digest');
  if (!isDigest(digest)) throw mistake(object, 'digest', 'is not a SHA-256');
  return { mediaType, digest, size: readCount(object, 'size', maxBytes) };
}

/** @throws VmError if the chunks are not those of the files that the description names. */
export function checkComplete(chunks: readonly Chunk[], { files }: BoxConfig, shownAs: string): void {
  const fail = (what: string) => {
    throw new VmError(`${shownAs} is damaged: ${what}`, { hint: 'push the box again' });
  };
  const stranger = chunks.find(({ file }) => !files.some(({ name }) => name === file));
  if (stranger !== undefined) fail(`it has chunks of ${stranger.file}, which is not in the box`);
  for (const { name, bytes, chunks: wanted } of files) {
    const own = chunks.filter(({ file }) => file === name);
    const last = own.at(-1);
    if (own.length !== wanted) fail(`it has ${own.length} of ${wanted} chunks of ${name}`);
    if (last !== undefined && last.offset + last.length > bytes) fail(`${name} ends before its last chunk`);
  }
}
