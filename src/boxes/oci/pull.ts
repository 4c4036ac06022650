import { InterruptedError } from '../../errors.ts';
import { ensurePrivateFolder } from '../../host/files.ts';
import { formatReference } from '../../machinefile/oci-reference.ts';
import { type Chunk, checkComplete, parseManifest } from './artifact.ts';
import { type BoxConfig, parseConfig } from './box-config.ts';
import { type ChunkCache, writeChunkIndex } from './chunk-cache.ts';
import { ChunkProgress, type ProgressTools } from './chunk-progress.ts';
import { CHUNKS_AT_ONCE, unpackChunk } from './chunks.ts';
import { mapAhead } from './map-ahead.ts';
import { PartialFiles } from './partial-files.ts';
import type { Registry } from './registry.ts';

export interface PullTarget {
  /** Empty, or what an interrupted pull of the same box left: its chunks are taken up. */
  readonly dir: string;
  readonly chunkCache: ChunkCache;
}

export interface PulledBox {
  /** Of the manifest: what `oci://…@sha256:…` names. */
  readonly digest: string;
  readonly config: BoxConfig;
}

/**
 * Writes the files of a box to a folder, with the index of its chunks. Chunks that this host has already are copied.
 * Every file is what the box's description says; the disks are still somebody else's images, to be inspected as such.
 * @throws VmError if it is not a box, or damaged, or cannot be written; what `Registry` throws; InterruptedError.
 */
export async function pullBox(
  { dir, chunkCache }: PullTarget,
  registry: Registry,
  { context, subject }: ProgressTools,
): Promise<PulledBox> {
  const shownAs = formatReference(registry.reference);
  const { signal } = context;
  const manifest = await registry.getManifest();
  const { chunks, config: description } = parseManifest(manifest.bytes.toString(), shownAs);
  const config = parseConfig((await registry.getBlob(description)).toString(), shownAs);
  checkComplete(chunks, config, shownAs);
  await ensurePrivateFolder(dir);
  await writeChunkIndex(dir, chunks);
  await using files = await PartialFiles.open(dir, config.files);

  const fetch = async (chunk: Chunk) => {
    const packed = await registry.getBlob(chunk.blob);
    return unpackChunk(packed, chunk, { shownAs, signal });
  };
  const place = async (chunk: Chunk) => {
    if (signal.aborted) throw new InterruptedError();
    const wasWritten = await files.has(chunk);
    const known = wasWritten ? undefined : await chunkCache.find(chunk.sha256);
    if (!wasWritten) await files.write(chunk, known ?? (await fetch(chunk)));
    return { bytes: chunk.length, wasPresent: wasWritten || known !== undefined };
  };
  const total = { chunks: chunks.length, bytes: chunks.reduce((sum, { length }) => sum + length, 0) };
  const progress = new ChunkProgress({ context, subject }, total, 'here');
  for await (const { bytes, wasPresent } of mapAhead(chunks, CHUNKS_AT_ONCE, place)) progress.add(bytes, wasPresent);
  await files.verify(shownAs, signal);
  return { digest: manifest.digest, config };
}
