import type { ByteReader } from './byte-reader.ts';
import { BLOCK_BYTES, parseDecimal, parseNumber } from './tar-header.ts';

/** A part of a file that has holes. */
export interface SparseChunk {
  /** In the file, in bytes. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Where data of a sparse file belongs. */
export interface Extent {
  /** In the file, in bytes. */
  readonly offset: number;
  readonly length: number;
}

/** What of a file there is in the archive. */
export interface SparseLayout {
  /** Of the whole file. */
  readonly sizeBytes: number;
  readonly extents: readonly Extent[];
  /** What the archive has of it, without the map. */
  readonly dataBytes: number;
}

/** More are refused: they would fill the memory. With them a disk may have data in every second 64 KiB of 128 GiB. */
const MAX_EXTENTS = 2 ** 20;

/** Why the extents cannot be right, as the end of a sentence about the map; undefined if they can. */
export function findMapProblem({ sizeBytes, extents, dataBytes }: SparseLayout): string | undefined {
  let [end, total] = [0, 0];
  for (const { offset, length } of extents) {
    if (offset < end) return 'overlaps itself or goes backwards';
    end = offset + length;
    if (end > sizeBytes) return 'exceeds the file';
    total += length;
  }
  return total === dataBytes ? undefined : `has ${total} bytes where ${dataBytes} are stored`;
}

/** Makes extents of offset, length, offset, length, …; undefined if a number is missing. */
export function pairExtents(numbers: readonly (number | undefined)[]): readonly Extent[] | undefined {
  const extents: Extent[] = [];
  for (let index = 0; index < numbers.length; index += 2) {
    const [offset, length] = [numbers[index], numbers[index + 1]];
    if (offset === undefined || length === undefined) return undefined;
    extents.push({ offset, length });
  }
  return extents;
}

/**
 * Old GNU format: four extents in the header itself, then, while a flag says so, blocks with 21 more (GNU tar's manual,
 * "Storing Sparse Files, Old GNU Format"; tar.h, struct sparse_header). Undefined if it is malformed.
 */
export async function readOldGnuMap(
  header: Buffer,
  reader: ByteReader,
): Promise<Pick<SparseLayout, 'sizeBytes' | 'extents'> | undefined> {
  const sizeBytes = parseNumber(header.subarray(483, 495));
  const numbers = numbersOf(header.subarray(386, 482));
  for (let hasMore = header[482] !== 0; hasMore; ) {
    const block = await reader.read(BLOCK_BYTES);
    numbers.push(...numbersOf(block.subarray(0, 504)));
    if (numbers.length > 2 * MAX_EXTENTS) return undefined;
    hasMore = block[504] !== 0;
  }
  const extents = pairExtents(numbers);
  return extents && sizeBytes !== undefined ? { extents, sizeBytes } : undefined;
}

const NUMBER_BYTES = 12;

/** The first field that begins with NUL ends the list. */
function numbersOf(fields: Buffer): (number | undefined)[] {
  const numbers: (number | undefined)[] = [];
  for (let start = 0; start < fields.length && fields[start] !== 0; start += NUMBER_BYTES) {
    numbers.push(parseNumber(fields.subarray(start, start + NUMBER_BYTES)));
  }
  return numbers;
}

/**
 * Format 1.0: the map stands before the data, filled up with NUL to a whole block. Its lines are decimal numbers: how
 * many extents there are, then their offsets and lengths (GNU tar's manual, "PAX Format, Version 1.0"). Undefined if it
 * is malformed.
 */
export async function readLeadingMap(reader: ByteReader): Promise<readonly Extent[] | undefined> {
  const lines: string[] = [];
  let unfinished = '';
  for (;;) {
    const block = await reader.read(BLOCK_BYTES);
    const parts = (unfinished + block.toString('latin1')).split('\n');
    unfinished = parts.pop() ?? '';
    lines.push(...parts);
    const count = parseDecimal(lines[0] ?? '');
    if (count === undefined || count > MAX_EXTENTS || unfinished.length >= BLOCK_BYTES) return undefined;
    const end = 1 + 2 * count;
    if (lines.length >= end) return pairExtents(lines.slice(1, end).map(parseDecimal));
  }
}
