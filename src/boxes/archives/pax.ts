import { type Extent, pairExtents } from './sparse-map.ts';
import { parseDecimal } from './tar-header.ts';

/** What an extended header says of the member after it, where the ordinary header does not or cannot. */
export interface PaxAttributes {
  readonly name: string | undefined;
  readonly storedBytes: number | undefined;
  /** The member has holes. */
  readonly sparse: PaxSparse | undefined;
}

export interface PaxSparse {
  /** Of the whole file. */
  readonly sizeBytes: number;
  /** Undefined: the map stands before the data. */
  readonly extents: readonly Extent[] | undefined;
}

/**
 * Reads an extended header; undefined if it is malformed.
 * Format: POSIX pax, "pax Extended Header"; GNU tar's manual, "Storing Sparse Files", and its format 0.0, which names
 * offset and length of each extent in records of their own.
 */
export function parsePax(bytes: Buffer): PaxAttributes | undefined {
  const records = parseRecords(bytes);
  if (records === undefined) return undefined;
  // Of several with one keyword the last one counts, and an empty one counts as none.
  const values = new Map(records.filter(([, value]) => value !== ''));
  const size = values.get('size');
  const storedBytes = size === undefined ? undefined : parseDecimal(size);
  const isSparse = values.has('GNU.sparse.major') || values.has('GNU.sparse.size');
  const sparse = isSparse ? readSparse(values, records) : undefined;
  if ((size !== undefined && storedBytes === undefined) || (isSparse && sparse === undefined)) return undefined;
  return { name: values.get('GNU.sparse.name') ?? values.get('path'), storedBytes, sparse };
}

type PaxRecord = readonly [keyword: string, value: string];
type PaxValues = ReadonlyMap<string, string>;

/** Each record is `LENGTH KEYWORD=VALUE\n`; the length is in bytes and counts all of it. */
function parseRecords(bytes: Buffer): readonly PaxRecord[] | undefined {
  const records: PaxRecord[] = [];
  for (let start = 0, end: number; start < bytes.length; start = end) {
    const space = bytes.indexOf(' ', start);
    const length = space === -1 ? undefined : parseDecimal(bytes.toString('latin1', start, space));
    if (length === undefined) return undefined;
    end = start + length;
    const text = bytes.toString('utf8', space + 1, end - 1);
    const equals = text.indexOf('=');
    if (end <= space || bytes[end - 1] !== NEWLINE || equals < 1) return undefined;
    records.push([text.slice(0, equals), text.slice(equals + 1)]);
  }
  return records;
}

const NEWLINE = 0x0a;

function readSparse(values: PaxValues, records: readonly PaxRecord[]): PaxSparse | undefined {
  const number = (keyword: string) => parseDecimal(values.get(keyword) ?? '');
  if (values.has('GNU.sparse.major')) {
    const sizeBytes = number('GNU.sparse.realsize');
    const isKnown = number('GNU.sparse.major') === 1 && number('GNU.sparse.minor') === 0;
    return isKnown && sizeBytes !== undefined ? { sizeBytes, extents: undefined } : undefined;
  }
  const sizeBytes = number('GNU.sparse.size');
  const extents = pairExtents(mapOf(values, records).map(parseDecimal));
  const isWhole = extents?.length === number('GNU.sparse.numblocks');
  return isWhole && sizeBytes !== undefined ? { sizeBytes, extents } : undefined;
}

function mapOf(values: PaxValues, records: readonly PaxRecord[]): readonly string[] {
  const map = values.get('GNU.sparse.map');
  if (map !== undefined) return map.split(',');
  return records.filter(([keyword]) => /^GNU\.sparse\.(offset|numbytes)$/.test(keyword)).map(([, value]) => value);
}
