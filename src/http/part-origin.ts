import { rm } from 'node:fs/promises';
import { readTextIfExists, sha256, writeFileAtomic } from '../host/files.ts';

/** What tells whether the rest of a document on its server still belongs to the part that is here. */
export interface PartOrigin {
  /** Only the digest of the URL: it may hold secrets. */
  readonly urlSha256: string;
  /** Of the whole document. */
  readonly lengthBytes: number | undefined;
  /** As `If-Range` takes it. Without one there is no resuming. */
  readonly validator: Validator | undefined;
}

export interface Validator {
  readonly header: 'etag' | 'last-modified';
  readonly value: string;
}

const FORMAT = 1;

export function originOf(url: string, headers: Readonly<Record<string, string | undefined>>): PartOrigin {
  const length = headers['content-length'];
  return {
    urlSha256: sha256(url),
    lengthBytes: length === undefined ? undefined : Number(length),
    validator: validatorOf(headers),
  };
}

/** A strong ETag, or the date: `If-Range` takes no weak ETag (RFC 9110, 13.1.5). */
function validatorOf(headers: Readonly<Record<string, string | undefined>>): Validator | undefined {
  const { etag, 'last-modified': date } = headers;
  if (etag?.startsWith('"')) return { header: 'etag', value: etag };
  return date === undefined ? undefined : { header: 'last-modified', value: date };
}

/** What is stored beside a part; undefined where there is nothing, or nothing to be understood. */
export async function readOrigin(partPath: string): Promise<PartOrigin | undefined> {
  const text = await readTextIfExists(storedPath(partPath));
  if (text === undefined) return undefined;
  const { format, ...origin } = JSON.parse(text) as PartOrigin & { format: number }; // written whole by `writeOrigin`
  return format === FORMAT ? origin : undefined;
}

export function writeOrigin(partPath: string, origin: PartOrigin): Promise<void> {
  return writeFileAtomic(storedPath(partPath), `${JSON.stringify({ format: FORMAT, ...origin })}\n`);
}

export function removeOrigin(partPath: string): Promise<void> {
  return rm(storedPath(partPath), { force: true });
}

function storedPath(partPath: string): string {
  return `${partPath}.json`;
}
