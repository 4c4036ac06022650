import { join } from 'node:path';
import { readTextIfExists, sha256, unlessMissing, writeFileAtomic } from '../../host/files.ts';
import { openImage } from '../formats/image-bytes.ts';
import type { Chunk } from './artifact.ts';

/** Where chunks may be found that need not be fetched. */
export interface ChunkCache {
  /** The bytes of a chunk, verified; undefined where there are none. @param sha256 of the bytes, in lower-case hex. */
  find(sha256: string): Promise<Buffer | undefined>;
}

/** Beside the files of a box: where in them which chunks are. */
const INDEX_FILE = 'chunks.json';

/** The number of the stored format. */
const FORMAT = 1;

interface StoredIndex {
  readonly format: number;
  readonly chunks: readonly ChunkPlace[];
}

type ChunkPlace = Pick<Chunk, 'file' | 'offset' | 'length' | 'sha256'>;

/**
 * Lets the chunks of the box in `dir` be found again. It takes no room for them: they are the box's own files.
 * @throws VmError if it cannot be written.
 */
export async function writeChunkIndex(dir: string, chunks: readonly ChunkPlace[]): Promise<void> {
  const places = chunks.map(({ file, offset, length, sha256 }) => ({ file, offset, length, sha256 }));
  const index: StoredIndex = { format: FORMAT, chunks: places };
  await writeFileAtomic(join(dir, INDEX_FILE), `${JSON.stringify(index)}\n`);
}

/** The chunks of the boxes in these folders, as far as those have an index. Boxes may be removed meanwhile. */
export async function openChunkCache(boxDirs: readonly string[]): Promise<ChunkCache> {
  const places = new Map<string, ChunkPlace & { readonly path: string }>();
  for (const dir of boxDirs) {
    for (const place of await readIndex(dir)) places.set(place.sha256, { ...place, path: join(dir, place.file) });
  }
  return {
    async find(wanted) {
      const place = places.get(wanted);
      const bytes = place && (await unlessMissing(readPart(place.path, place)));
      return bytes !== undefined && sha256(bytes) === wanted ? bytes : undefined;
    },
  };
}

async function readIndex(dir: string): Promise<readonly ChunkPlace[]> {
  const text = await readTextIfExists(join(dir, INDEX_FILE));
  if (text === undefined) return [];
  const { format, chunks } = JSON.parse(text) as StoredIndex; // written whole by `writeChunkIndex`
  return format === FORMAT ? chunks : [];
}

async function readPart(path: string, { offset, length }: Pick<Chunk, 'offset' | 'length'>): Promise<Buffer> {
  await using file = await openImage(path);
  return await file.read(offset, length);
}
