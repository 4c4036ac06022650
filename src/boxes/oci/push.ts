import { stat } from 'node:fs/promises';
import { VmError } from '../../errors.ts';
import { sha256 } from '../../host/files.ts';
import { Digests } from '../../http/digests.ts';
import { describeSize } from '../../http/progress-text.ts';
import { CHUNK_MEDIA_TYPE, type Chunk, formatManifest } from './artifact.ts';
import {
  BOX_FILES,
  type BoxFacts,
  type BoxFileName,
  CONFIG_MEDIA_TYPE,
  formatConfig,
  MAX_CHUNKS,
} from './box-config.ts';
import { type Amount, ChunkProgress, type ProgressTools } from './chunk-progress.ts';
import { CHUNK_BYTES, CHUNKS_AT_ONCE, isAllZero, packChunk, type RawChunk, readChunks } from './chunks.ts';
import { mapAhead } from './map-ahead.ts';
import { type Descriptor, digestOf, type Registry } from './registry.ts';

export interface PushInput {
  readonly facts: BoxFacts;
  /** Absolute paths. The files must not change meanwhile. */
  readonly files: Readonly<Partial<Record<BoxFileName, string>>>;
}

export interface PushedBox {
  /** Of the manifest: what `oci://…@sha256:…` names. */
  readonly digest: string;
  readonly chunks: readonly Chunk[];
}

/** A file of the box, with the digest of what was read of it. */
interface Source {
  readonly name: BoxFileName;
  readonly path: string;
  readonly digests: Digests;
}

/**
 * Makes a tag in a registry mean this box. What the registry has already is not sent again; the tag changes at the end.
 * @throws VmError if the box is too large, or the reference is not a tag; what `Registry` throws; InterruptedError.
 */
export async function pushBox(
  { facts, files }: PushInput,
  registry: Registry,
  { context, subject }: ProgressTools,
): Promise<PushedBox> {
  if (registry.reference.tag === undefined) {
    throw new VmError('a box is pushed to a tag, not to a digest', { hint: 'write oci://HOST/REPOSITORY:TAG' });
  }
  const sources = findSources(files);
  const progress = new ChunkProgress({ context, subject }, await measure(sources, subject), 'there');
  const chunks: Chunk[] = [];
  const push = (part: Part) => pushPart(part, registry, context.signal);
  for await (const { bytes, chunk, wasPresent } of mapAhead(readAll(sources, context.signal), CHUNKS_AT_ONCE, push)) {
    if (chunk !== undefined) chunks.push(chunk);
    progress.add(bytes, wasPresent);
  }
  const described = sources.map(({ name, digests }) => ({
    name,
    bytes: digests.bytes,
    sha256: digests.hex('sha256'),
    chunks: chunks.filter(({ file }) => file === name).length,
  }));
  const config = await pushBytes(formatConfig({ ...facts, files: described }), CONFIG_MEDIA_TYPE, registry);
  const digest = await registry.pushManifest(formatManifest({ config: config.blob, chunks }, facts));
  return { digest, chunks };
}

function findSources(files: PushInput['files']): Source[] {
  return BOX_FILES.flatMap((name) => {
    const path = files[name];
    return path === undefined ? [] : [{ name, path, digests: new Digests(['sha256']) }];
  });
}

async function measure(sources: readonly Source[], subject: string): Promise<Amount> {
  const sizes = await Promise.all(sources.map(async ({ path }) => (await stat(path)).size));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  const chunks = sizes.reduce((sum, size) => sum + Math.ceil(size / CHUNK_BYTES), 0);
  if (chunks <= MAX_CHUNKS) return { bytes, chunks };
  throw new VmError(
    `${subject} is too large for a registry: ${describeSize(bytes)}, of ${describeSize(MAX_CHUNKS * CHUNK_BYTES)} at most`,
    { hint: 'make the box from a smaller disk, or share the file in another way' },
  );
}

interface Part extends RawChunk {
  readonly file: BoxFileName;
}

async function* readAll(sources: readonly Source[], signal: AbortSignal): AsyncGenerator<Part> {
  for (const { name, path, digests } of sources) {
    for await (const { offset, bytes } of readChunks(path, signal)) {
      digests.update(bytes);
      yield { file: name, offset, bytes };
    }
  }
}

interface PushedPart {
  readonly bytes: number;
  /** Absent: it is all zero. */
  readonly chunk: Chunk | undefined;
  readonly wasPresent: boolean;
}

async function pushPart({ file, offset, bytes }: Part, registry: Registry, signal: AbortSignal): Promise<PushedPart> {
  const { length } = bytes;
  if (isAllZero(bytes)) return { bytes: length, chunk: undefined, wasPresent: false };
  const { blob, wasPresent } = await pushBytes(await packChunk(bytes, signal), CHUNK_MEDIA_TYPE, registry);
  return { bytes: length, chunk: { file, offset, length, sha256: sha256(bytes), blob }, wasPresent };
}

async function pushBytes(
  bytes: Buffer,
  mediaType: string,
  registry: Registry,
): Promise<{ readonly blob: Descriptor; readonly wasPresent: boolean }> {
  const digest = digestOf(bytes);
  const wasPresent = await registry.hasBlob(digest);
  if (!wasPresent) await registry.pushBlob(digest, bytes);
  return { blob: { mediaType, digest, size: bytes.length }, wasPresent };
}
